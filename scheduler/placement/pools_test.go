package placement

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// anyAllocated is the most that anyPool counts as allocated and other together.
const anyAllocated = 1200

// stores are those for backups that anyPool reaches and anyRequest asks for.
var stores = []string{"", "s1", "s2"}

func newPlacer(t testing.TB, o Options) *Placer {
	t.Helper()
	placer, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return placer
}

// upPool is an idle, empty pool of 1,000 GiB.
func upPool(name string) Pool {
	return Pool{Name: name, Host: "h", Backend: "b", AvailabilityZone: "nova", Up: true, Thick: true,
		TotalBytes: 1000 << 30, FreeBytes: 1000 << 30, Capabilities: map[string]string{}}
}

// anyPool is a small pool with anything wrong or right with it.
func anyPool(t *rapid.T) Pool {
	thin := rapid.Bool().Draw(t, "thin")
	return Pool{
		AvailabilityZone:         rapid.SampledFrom([]string{"z1", "z2"}).Draw(t, "zone"),
		Up:                       rapid.IntRange(0, 9).Draw(t, "up") > 0,
		Disabled:                 rapid.IntRange(0, 9).Draw(t, "disabled") == 0,
		Frozen:                   rapid.IntRange(0, 9).Draw(t, "frozen") == 0,
		TotalBytes:               rapid.Int64Range(0, 1000).Draw(t, "total"),
		FreeBytes:                rapid.Int64Range(0, 1000).Draw(t, "free"),
		AllocatedBytes:           rapid.Int64Range(0, anyAllocated/2).Draw(t, "allocated"),
		OtherBytes:               rapid.Int64Range(0, anyAllocated/2).Draw(t, "other"),
		Thin:                     thin,
		Thick:                    !thin,
		MaxOverSubscriptionRatio: rapid.Float64Range(0.5, 20).Draw(t, "ratio"),
		ReservedPercentage:       rapid.IntRange(0, 100).Draw(t, "reserved"),
		Volumes:                  rapid.IntRange(0, 5).Draw(t, "volumes"),
		ClaimedSincePoll:         rapid.IntRange(0, 3).Draw(t, "claimed"),
		BackupStore:              rapid.SampledFrom(stores).Draw(t, "store"),
		Capabilities: map[string]string{
			"fast":        rapid.SampledFrom([]string{"true", "false"}).Draw(t, "fast"),
			"QoS_support": rapid.SampledFrom([]string{"True", "False"}).Draw(t, "qos"),
		},
		IO: DiskIO{
			BusyShare:           rapid.SampledFrom([]float64{0, 0.001, 0.3, 1}).Draw(t, "busy"),
			OperationsPerSecond: rapid.Float64Range(0, 5000).Draw(t, "ops"),
			BytesPerSecond:      rapid.Float64Range(0, 1e9).Draw(t, "bytes"),
			MeanWaitMS:          rapid.Float64Range(0, 100).Draw(t, "wait"),
		},
	}
}

func anyPools(t *rapid.T) []Pool {
	pools := make([]Pool, rapid.IntRange(0, 12).Draw(t, "pools"))
	for i := range pools {
		pools[i] = anyPool(t)
		pools[i].Name = fmt.Sprintf("h%d@b#p", i)
	}
	return pools
}

func anyRequest(t *rapid.T) Request {
	names := rapid.SliceOfN(rapid.SampledFrom([]string{"h0@b#p", "h1@b#p", "h2@b#p", "h3@b#p"}), 0, 3)
	r := Request{
		SizeBytes:         rapid.Int64Range(0, 500).Draw(t, "size"),
		AvailabilityZones: rapid.SliceOfN(rapid.SampledFrom([]string{"z1", "z2", "z3"}), 0, 2).Draw(t, "zones"),
		ProvisioningThick: rapid.Bool().Draw(t, "thick"),
		DifferentHost:     names.Draw(t, "different"),
		BackEndQos:        rapid.Bool().Draw(t, "qos"),
		BackupStore:       rapid.SampledFrom(stores).Draw(t, "store"),
		Exclude:           names.Draw(t, "exclude"),
	}
	if rapid.IntRange(0, 4).Draw(t, "hint") == 0 {
		r.SameHost = names.Draw(t, "same")
	}
	if rapid.Bool().Draw(t, "spec") {
		r.ExtraSpecs = map[string]string{"fast": "<is> True"}
	}
	return r
}
