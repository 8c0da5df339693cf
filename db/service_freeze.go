package db

import (
	"context"

	"clinker/internal/fault"
)

// FreezeBackends freezes or thaws the backends of a host (a node, or one
// backend as host@backend) that are not so already. Invalid, in Cinder's words,
// when there is none.
func (t *Tx) FreezeBackends(ctx context.Context, host string, frozen bool) error {
	var changed []bool
	err := t.gorm.Raw(`WITH asked AS (
			SELECT id, frozen FROM services WHERE daemon = @daemon AND (host = @host OR starts_with(host, @host || '@')) FOR UPDATE
		), changed AS (
			UPDATE services s SET frozen = @frozen, updated_at = now() FROM asked WHERE s.id = asked.id AND asked.frozen <> @frozen
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
