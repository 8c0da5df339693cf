package scheduler_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// ownCPU is the processor time that this process has used.
func ownCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// databaseCPU is the processor time of the database server's processes, the
// connections that are still open among them.
func databaseCPU(b *testing.B, r *rig) time.Duration {
	var backend int
	if err := r.db.Pool().QueryRow(b.Context(), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		b.Fatal(err)
	}
	server := procStat(fmt.Sprint(backend))[1]
	var ticks int64
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		fields := procStat(filepath.Base(p))
		if len(fields) < 15 || fields[1] != server && filepath.Base(p) != server {
			continue
		}
		for _, f := range fields[11:13] {
			n, _ := strconv.ParseInt(f, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * (time.Second / 100)
}

// procStat gives /proc/pid/stat from its third field, the state, on (proc(5)).
func procStat(pid string) []string {
	raw, _ := os.ReadFile("/proc/" + pid + "/stat")
	_, rest, _ := strings.Cut(string(raw), ") ")
	return strings.Fields(rest)
}

// BenchmarkIdle is what a scheduler with nothing to do costs, in processor time
// for each second.
func BenchmarkIdle(b *testing.B) {
	r := newRig(b, nodetest.New("a").WithPool("lvm", "vg", 100*gib))
	r.adjust = func(o *scheduler.Options) { o.PollInterval, o.Jobs.Pause = 0, 0 }
	r.start()
	own, database := ownCPU(b), databaseCPU(b, r)
	for b.Loop() {
		time.Sleep(5 * time.Second)
	}
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64((ownCPU(b)-own).Microseconds())/1000/seconds, "own-cpu-ms/s")
	b.ReportMetric(float64((databaseCPU(b, r)-database).Microseconds())/1000/seconds, "db-cpu-ms/s")
}
