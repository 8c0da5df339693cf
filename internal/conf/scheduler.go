package conf

import "time"

// Scheduler is the part of [DEFAULT] about placement and about nodes that fall silent.
type Scheduler struct {
	DefaultFilters           []string      `ini:"scheduler_default_filters" default:"AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter,DifferentBackendFilter,SameBackendFilter,QosFilter" help:"The filters a pool must pass, in this order."`
	DefaultWeighers          []string      `ini:"scheduler_default_weighers" default:"DiskIOWeigher" help:"The weighers that rank the pools which pass; each has a multiplier."`
	ServiceDownTime          time.Duration `ini:"service_down_time" default:"60" min:"1" help:"After how many seconds without a sign of life a service counts as down."`
	ReportInterval           time.Duration `ini:"report_interval" default:"10" min:"1" help:"How often a service gives a sign of life, in seconds. Less than service_down_time."`
	MaxOverSubscriptionRatio Ratio         `ini:"max_over_subscription_ratio" default:"20.0" help:"How many times its size a thin pool may be promised, at least 1, or auto, which is 20 here. A backend's own value goes first."`
	ReservedPercentage       int           `ini:"reserved_percentage" default:"0" min:"0" max:"100" help:"How much of a pool is never given away, in percent. A backend's own value goes first."`
}
