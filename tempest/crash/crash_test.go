package crash

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"clinker/db"
	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// customers is how many work at the same time.
const customers = 6

// settle is how long volumes may take to come to rest (DESIGN: a minute).
const settle = 60 * time.Second

func TestNothingStuck(t *testing.T) {
	t.Parallel()
	seed, duration := chosen(t)
	t.Logf("TEMPEST_SEED=%d TEMPEST_CHAOS=%s", seed, duration)
	cloud := rig.Start(t, rig.Options{Nodes: 2, Settings: "quota_volumes = -1\nquota_gigabytes = -1"})
	d, err := db.Open(t.Context(), cloud.Postgres.URL("clinker"), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	client := cloud.Client(t, rig.NewProject())
	client.HTTPClient.Timeout = 40 * time.Second
	witnesses := newWitnesses(t, client)

	ctx, stop := context.WithTimeout(t.Context(), duration)
	defer stop()
	counts := &tally{}
	var working sync.WaitGroup
	for i := range customers {
		c := newCustomer(client, witnesses, counts, rand.New(rand.NewPCG(seed, uint64(i)+1)))
		working.Go(func() { c.work(ctx) })
	}
	chaos(ctx, t, cloud, rand.New(rand.NewPCG(seed, 0)))
	working.Wait()
	counts.check(t)

	w := &world{cloud: cloud, db: d, client: client}
	w.show(t)
	w.eventually(t, "after the chaos", w.unsettled)
	w.show(t)
	w.checkWitnesses(t, witnesses)
	w.deleteAll(t)
	w.eventually(t, "after deleting everything", w.remains)
}

// chosen is what the environment asks for.
func chosen(t *testing.T) (seed uint64, duration time.Duration) {
	t.Helper()
	seed, duration = rand.Uint64()>>1, 40*time.Second
	var err error
	if text := os.Getenv("TEMPEST_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("TEMPEST_CHAOS"); text != "" {
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	return seed, duration
}

// chaos kills the roles in turn, in an order that is shuffled each round, and
// starts them again. All of them run when it returns.
func chaos(ctx context.Context, t *testing.T, cloud *rig.Cloud, r *rand.Rand) {
	t.Helper()
	begin := time.Now()
	for ctx.Err() == nil {
		roles := cloud.Roles()
		r.Shuffle(len(roles), func(i, j int) { roles[i], roles[j] = roles[j], roles[i] })
		for _, role := range roles {
			if !pause(ctx, between(r, 0, 1500*time.Millisecond)) {
				return
			}
			killed := time.Since(begin)
			role.Kill()
			pause(ctx, between(r, 0, 2*time.Second))
			if err := role.Start(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%6.2fs killed %s, back at %.2fs", killed.Seconds(), role.Name, time.Since(begin).Seconds())
		}
	}
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}

// pause tells whether the time went by before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
