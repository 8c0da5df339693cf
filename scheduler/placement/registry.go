package placement

// filter prepares itself for a request and gives a check that says why a pool
// is refused, or "" when it passes.
type filter func(r *Request) check

type check func(p *Pool) (reason string)

// weigher gives a figure for a pool. The multiplier, which an operator may replace, is
// taken as it is: above 0 the pool with the greatest figure wins, below 0 the one with the least.
type weigher struct {
	option Multiplier
	// noise is a difference of figures that means nothing: pools whose figure
	// is within noise of the greatest count as equal to the greatest.
	noise  float64
	figure func(r *Request, p *Pool) float64
}

// Multiplier is the option by which an operator says how much a weigher counts.
type Multiplier struct {
	Name    string // in cinder.conf
	Default float64
	Help    string // for the operator, in a sentence
}

// Multipliers are those of all weighers, by the weigher.
func Multipliers() map[string]Multiplier {
	all := map[string]Multiplier{}
	for name, w := range weighers {
		all[name] = w.option
	}
	return all
}

// The tables hold what can be named in scheduler_default_filters and
// scheduler_default_weighers. They are filled by init functions and only read afterwards.
var (
	filters  = map[string]filter{}
	weighers = map[string]weigher{}
	// hints say to the user what can be done when a filter refused every pool.
	hints = map[string]string{}
)

// DefaultFilters and DefaultWeighers apply when none are named: the defaults of
// scheduler_default_filters and scheduler_default_weighers in internal/conf.
var (
	DefaultFilters = []string{"AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter",
		"DifferentBackendFilter", "SameBackendFilter", "QosFilter"}
	DefaultWeighers = []string{"DiskIOWeigher"}
)

// always come first, whatever is configured: without them a volume could be
// sent to a dead node, to the same failing pool for ever, or to one that cannot
// read what it is to be made of.
var always = []string{"ServiceFilter", "IgnoreAttemptedHostsFilter", "BackupStoreFilter"}
