package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"clinker/internal/fault"
)

// Quota resources under Cinder's names. Each of volumes, gigabytes and
// snapshots exists once more for every volume type, as <resource>_<type name>.
const (
	QuotaVolumes            = "volumes"
	QuotaGigabytes          = "gigabytes"
	QuotaSnapshots          = "snapshots"
	QuotaBackups            = "backups"
	QuotaBackupGigabytes    = "backup_gigabytes"
	QuotaGroups             = "groups"
	QuotaPerVolumeGigabytes = "per_volume_gigabytes"
)

// typeResources are the resources that exist once more for every volume type.
var typeResources = []string{QuotaVolumes, QuotaSnapshots, QuotaGigabytes}

// QuotaNames lists every resource of a quota set, in Cinder's order: the common
// ones, then three for each of the volume types.
func QuotaNames(typeNames []string) []string {
	names := []string{QuotaVolumes, QuotaPerVolumeGigabytes, QuotaSnapshots, QuotaGigabytes,
		QuotaBackups, QuotaBackupGigabytes}
	for _, kind := range typeNames {
		for _, resource := range typeResources {
			names = append(names, resource+"_"+kind)
		}
	}
	return append(names, QuotaGroups)
}

// Limits are the limits that hold where neither the project nor the default
// quota class sets one: the configuration's quota_* options. A resource that is
// not in it is unlimited. -1 is unlimited.
type Limits map[string]int

// Delta is what a request adds to a project's use of one resource, in pieces or
// GiB; negative to give back.
type Delta struct {
	Resource string
	Amount   int
}

// VolumeUse is the use of quota that one volume means: sign 1 to reserve it, -1
// to give it back.
func VolumeUse(sizeGiB int, typeName string, sign int) []Delta {
	return []Delta{
		{QuotaVolumes, sign}, {QuotaVolumes + "_" + typeName, sign},
		{QuotaGigabytes, sign * sizeGiB}, {QuotaGigabytes + "_" + typeName, sign * sizeGiB},
	}
}

// GrowthUse is the use that making a volume longer by some GiB means.
func GrowthUse(growthGiB int, typeName string) []Delta {
	return []Delta{{QuotaGigabytes, growthGiB}, {QuotaGigabytes + "_" + typeName, growthGiB}}
}

// used is one counter after a reservation, with the limit that holds for it.
type used struct {
	Resource  string
	InUse     int
	HardLimit *int
}

// reserveSQL adds to all counters at once. It visits them in the order of their
// names, so that two requests never wait for each other crosswise. The first
// that passes its limit (the project's, or else the default class's, or else the
// one given) ends the transaction by an error of the function over_quota: so
// that the commit can be sent along.
const reserveSQL = `INSERT INTO quota_usages AS u (project_id, resource, in_use)
	SELECT $1, resource, amount FROM unnest($2::text[], $3::bigint[]) AS w (resource, amount)
	ON CONFLICT (project_id, resource) DO UPDATE SET in_use = u.in_use + EXCLUDED.in_use
	RETURNING over_quota(u.resource, ($3::bigint[])[array_position($2::text[], u.resource)], u.in_use, COALESCE(
		(SELECT hard_limit FROM quotas q WHERE q.project_id = u.project_id AND q.resource = u.resource),
		(SELECT hard_limit FROM quota_classes c WHERE c.class_name = 'default' AND c.resource = u.resource),
		($4::bigint[])[array_position($2::text[], u.resource)]))`

// use is what a transaction adds to one project's use.
type use struct {
	project string
	deltas  []Delta
	limits  Limits
}

// Use adds deltas to the project's use in this transaction. They are counted
// when all else is done, directly before the commit, and then the transaction
// ends in OverQuota, with Cinder's sentence, when one that grows would pass its
// limit. A project's counters are rows that all its requests want: so they have
// them for the shortest time.
func (t *Tx) Use(ctx context.Context, project string, deltas []Delta, limits Limits) error {
	t.uses = append(t.uses, use{project, deltas, limits})
	return nil
}

// count counts what was used, by project so that no two transactions wait for
// each other crosswise.
func (t *Tx) count() {
	slices.SortStableFunc(t.uses, func(a, b use) int { return strings.Compare(a.project, b.project) })
	for _, u := range t.uses {
		t.countUse(u)
	}
}

func (t *Tx) countUse(u use) {
	var more, less counters
	for _, d := range u.deltas {
		if d.Amount > 0 {
			more.add(d)
		} else if d.Amount < 0 {
			less.add(d)
		}
	}
	if len(less.names) > 0 {
		t.later(giveBackSQL, u.project, less.names, less.amounts)
	}
	if len(more.names) > 0 {
		standard := make([]int, len(more.names))
		for i, name := range more.names {
			standard[i] = u.limits.Of(name)
		}
		t.later(reserveSQL, u.project, more.names, more.amounts, standard)
	}
}

// counters are what to add to each of some counters, by name.
type counters struct {
	names   []string
	amounts []int
}

func (c *counters) add(d Delta) {
	i, known := slices.BinarySearch(c.names, d.Resource)
	if !known {
		c.names, c.amounts = slices.Insert(c.names, i, d.Resource), slices.Insert(c.amounts, i, 0)
	}
	c.amounts[i] += d.Amount
}

// giveBackSQL takes from all counters at once, in the order of their names: that of
// reserveSQL, whatever the database's own is. It cannot be reserveSQL: the row to
// insert would be negative.
const giveBackSQL = `WITH locked AS (SELECT resource FROM quota_usages
		WHERE project_id = $1 AND resource = ANY($2::text[]) ORDER BY resource COLLATE "C" FOR UPDATE)
	UPDATE quota_usages u SET in_use = u.in_use + w.amount
	FROM unnest($2::text[], $3::bigint[]) AS w (resource, amount) JOIN locked USING (resource)
	WHERE u.project_id = $1 AND u.resource = w.resource`

func (l Limits) of(c used) int {
	if c.HardLimit != nil {
		return *c.HardLimit
	}
	return l.Of(c.Resource)
}

// refusal gives the error of the function over_quota as a fault; any other as it
// is.
func refusal(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "CQ001" {
		return err
	}
	var amount, consumed, limit int
	if _, broken := fmt.Sscanf(pg.Detail, "%d %d %d", &amount, &consumed, &limit); broken != nil {
		return err
	}
	if pg.ColumnName == QuotaPerVolumeGigabytes {
		return VolumeTooLarge(amount, limit)
	}
	return exceeded(Delta{pg.ColumnName, amount}, consumed, limit)
}

// CheckVolumeSize ends the transaction in VolumeTooLarge if a volume of the
// project must not have that many GiB. It goes with a next statement.
func (t *Tx) CheckVolumeSize(project string, sizeGiB int, limits Limits) {
	t.later(`SELECT over_quota($2, $3, $3, COALESCE(
		(SELECT hard_limit FROM quotas q WHERE q.project_id = $1 AND q.resource = $2),
		(SELECT hard_limit FROM quota_classes c WHERE c.class_name = 'default' AND c.resource = $2), $4))`,
		project, QuotaPerVolumeGigabytes, sizeGiB, limits.Of(QuotaPerVolumeGigabytes))
}

// VolumeTooLarge is what Cinder says of a volume beyond per_volume_gigabytes.
func VolumeTooLarge(sizeGiB, limit int) error {
	return fault.New(fault.OverQuota, "VolumeSizeExceedsLimit: Requested volume size %dG is larger than maximum allowed limit %dG.", sizeGiB, limit)
}

// exceeded words the refusal as Cinder does, the name of its exception included.
func exceeded(d Delta, consumed, limit int) error {
	base, _, _ := strings.Cut(d.Resource, "_")
	switch {
	case strings.HasPrefix(d.Resource, QuotaBackupGigabytes):
		return fault.New(fault.OverQuota, "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested %dG, quota is %dG and %dG has been consumed.", d.Amount, limit, consumed)
	case base == QuotaGigabytes:
		return fault.New(fault.OverQuota, "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed %s quota. Requested %dG, quota is %dG and %dG has been consumed.", d.Resource, d.Amount, limit, consumed)
	case base == QuotaSnapshots:
		return fault.New(fault.OverQuota, "SnapshotLimitExceeded: Maximum number of snapshots allowed (%d) exceeded", limit)
	case base == QuotaBackups:
		return fault.New(fault.OverQuota, "BackupLimitExceeded: Maximum number of backups allowed (%d) exceeded", limit)
	case base == QuotaGroups:
		return fault.New(fault.OverQuota, "GroupLimitExceeded: Maximum number of groups allowed (%d) exceeded", limit)
	default:
		return fault.New(fault.OverQuota, "VolumeLimitExceeded: Maximum number of volumes allowed (%d) exceeded for quota '%s'.", limit, d.Resource)
	}
}

// QuotaSet is what a project may use and does, by resource.
type QuotaSet map[string]QuotaItem

// QuotaItem is one resource of a quota set. A limit of -1 is none.
type QuotaItem struct{ Limit, InUse int }

// quotaSQL joins what a project has set, the default class, and what is used.
const quotaSQL = `SELECT r.resource, COALESCE(q.hard_limit, c.hard_limit) AS hard_limit, COALESCE(u.in_use, 0) AS in_use
	FROM unnest($2::text[]) AS r (resource)
	LEFT JOIN quotas q ON q.project_id = $1 AND q.resource = r.resource
	LEFT JOIN quota_classes c ON c.class_name = 'default' AND c.resource = r.resource
	LEFT JOIN quota_usages u ON u.project_id = $1 AND u.resource = r.resource`

// QuotaSet reads the named resources of a project in one statement.
func (d *DB) QuotaSet(ctx context.Context, project string, resources []string, limits Limits) (QuotaSet, error) {
	rows, err := d.pool.Query(ctx, quotaSQL, project, resources)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	set := QuotaSet{}
	for rows.Next() {
		var c used
		if err := rows.Scan(&c.Resource, &c.HardLimit, &c.InUse); err != nil {
			return nil, err
		}
		set[c.Resource] = QuotaItem{Limit: limits.of(c), InUse: c.InUse}
	}
	return set, rows.Err()
}

// ClassLimits reads the limits a quota class sets.
func (d *DB) ClassLimits(ctx context.Context, class string) (Limits, error) {
	rows, err := d.pool.Query(ctx, "SELECT resource, hard_limit FROM quota_classes WHERE class_name = $1", class)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	limits := Limits{}
	for rows.Next() {
		var resource string
		var limit int
		if err := rows.Scan(&resource, &limit); err != nil {
			return nil, err
		}
		limits[resource] = limit
	}
	return limits, rows.Err()
}

// SetQuota writes a project's own limits; -1 is unlimited. May be repeated.
func (t *Tx) SetQuota(ctx context.Context, project string, limits Limits) error {
	return t.setLimits("quotas", "project_id", project, limits)
}

// SetClassLimits writes a quota class's limits. May be repeated.
func (t *Tx) SetClassLimits(ctx context.Context, class string, limits Limits) error {
	return t.setLimits("quota_classes", "class_name", class, limits)
}

// setLimits writes them in the order of their names, so that two requests never
// wait for each other crosswise.
func (t *Tx) setLimits(table, owner, name string, limits Limits) error {
	names := slices.Sorted(maps.Keys(limits))
	values := make([]int, len(names))
	for i, resource := range names {
		if values[i] = limits[resource]; values[i] > math.MaxInt32 {
			return fault.New(fault.Invalid, "quota %s is %d but must be at most %d", resource, values[i], math.MaxInt32)
		}
	}
	t.later(fmt.Sprintf(`INSERT INTO %s (%s, resource, hard_limit)
		SELECT $1, resource, hard_limit FROM unnest($2::text[], $3::bigint[]) AS w (resource, hard_limit)
		ON CONFLICT (%s, resource) DO UPDATE SET hard_limit = EXCLUDED.hard_limit`, table, owner, owner), name, names, values)
	return nil
}

// ClearQuota takes a project's own limits away: the defaults hold again.
func (t *Tx) ClearQuota(ctx context.Context, project string) error {
	return t.gorm.Exec("DELETE FROM quotas WHERE project_id = ?", project).Error
}
