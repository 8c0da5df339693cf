package db

import (
	"context"

	"clinker/internal/fault"
)

// FreezeBackends freezes or thaws the backends of a host (a node, or one
// backend as host@backend) that are not so already. A frozen one is disabled, as
// Cinder has it, and what is on it can be used, not taken away. Invalid, in Cinder's words,
// when there is none.
func (t *Tx) FreezeBackends(ctx context.Context, host string, frozen bool) error {
	var changed []bool
	err := t.gorm.Raw(`WITH asked AS (
			SELECT id, frozen FROM services WHERE daemon = @daemon AND (host = @host OR starts_with(host, @host || '@')) FOR UPDATE
		), changed AS (
			UPDATE services s SET frozen = @frozen, updated_at = now(),
				disabled = @frozen OR s.disabled AND s.disabled_reason IS DISTINCT FROM 'frozen',
				disabled_reason = CASE WHEN @frozen AND NOT s.disabled THEN 'frozen' WHEN @frozen OR s.disabled_reason <> 'frozen' THEN s.disabled_reason END
			FROM asked WHERE s.id = asked.id AND asked.frozen <> @frozen
		)
		SELECT frozen <> @frozen FROM asked`,
		map[string]any{"daemon": DaemonVolume, "host": host, "frozen": frozen}).Scan(&changed).Error
	if err != nil {
		return err
	}
	if len(changed) == 0 {
		return fault.New(fault.Invalid, "Invalid input received: No service found with host=%s", host)
	}
	for _, one := range changed {
		if one {
			return nil
		}
	}
	word := "frozen"
	if !frozen {
		word = "thawed"
	}
	return fault.New(fault.Invalid, "Invalid input received: No service could be changed: host %s is %s already.", host, word)
}

// NotFrozen has the transaction fail, in Cinder's words, when the backend of a pool
// is frozen; nil is no pool.
func (t *Tx) NotFrozen(poolID *string) {
	if poolID == nil {
		return
	}
	t.expect(fault.New(fault.Invalid, "Invalid input received: Modification operations are not allowed on frozen storage backends."),
		"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pools p JOIN services s ON s.id = p.service_id WHERE p.id = $1 AND s.frozen)", *poolID)
}
