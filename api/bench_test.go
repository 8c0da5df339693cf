package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/db/dbtest"
)

// discard is a ResponseWriter that counts.
type discard struct {
	header http.Header
	status int
	bytes  int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { d.bytes += len(p); return len(p), nil }

var _ io.Writer = (*discard)(nil)

// fill writes volumes of the caller's project as creating them would have.
func (w *world) fill(volumes int) {
	w.t.Helper()
	_, err := w.db.Pool().Exec(w.t.Context(), `INSERT INTO volumes (id, project_id, user_id, name, size_gib, status,
			volume_type_id, availability_zone, pool_id, host, service_id, metadata, created_at)
		SELECT gen_random_uuid(), $1, 'b0000000000000000000000000000000', 'volume ' || n, 1, 'available',
			(SELECT id FROM volume_types LIMIT 1), 'nova', $2, 'node1@lvm#pool', $3, '{"purpose": "bench"}',
			now() - n * interval '1 second'
		FROM generate_series(1, $4) AS n`, ownProject, w.pool.ID, w.pool.ServiceID, volumes)
	if err == nil {
		_, err = w.db.Pool().Exec(w.t.Context(), "ANALYZE")
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// cpu tells the processor time that this process has used, and that the
// database's has for this test: the wall clock says little on a busy machine.
func (w *world) cpu() (own, postgres time.Duration) {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	own = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	for _, pid := range dbtest.Rows(w.t, w.db, "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()") {
		stat, _ := os.ReadFile("/proc/" + pid + "/stat")
		if fields := strings.Fields(string(stat)); len(fields) > 14 {
			user, _ := strconv.Atoi(fields[13])
			system, _ := strconv.Atoi(fields[14])
			postgres += time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	return own, postgres
}

// benchmark asks for a path again and again, with the n volumes there are.
func benchmark(b *testing.B, n int, path func(w *world) string) {
	w := newWorld(b)
	w.fill(n)
	url := path(w)
	b.ReportAllocs()
	answered := 0
	own, postgres := w.cpu()
	for b.Loop() {
		r := httptest.NewRequest("GET", url, nil)
		r.Header.Set("X-Auth-Token", "member")
		r.Header.Set(versionHeader, "volume 3.71")
		d := &discard{header: http.Header{}}
		w.server.ServeHTTP(d, r)
		if d.status != http.StatusOK {
			b.Fatal(d.status)
		}
		answered = d.bytes
	}
	ownAfter, postgresAfter := w.cpu()
	b.ReportMetric(float64((ownAfter-own).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64((postgresAfter-postgres).Microseconds())/float64(b.N), "postgres-µs/op")
	b.ReportMetric(float64(answered), "bytes/answer")
}

func at(path string) func(*world) string { return func(*world) string { return path } }

func BenchmarkListDetail1000(b *testing.B)  { benchmark(b, 1000, at("/v3/volumes/detail")) }
func BenchmarkListDetail50(b *testing.B)    { benchmark(b, 1000, at("/v3/volumes/detail?limit=50")) }
func BenchmarkListSummary1000(b *testing.B) { benchmark(b, 1000, at("/v3/volumes")) }

func BenchmarkShow(b *testing.B) {
	benchmark(b, 1000, func(w *world) string {
		return "/v3/" + ownProject + "/volumes/" + dbtest.Rows(w.t, w.db, "SELECT id::text FROM volumes LIMIT 1")[0]
	})
}
