package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/tempest/load"
)

// Usage is what a phase has cost.
type Usage struct {
	Phase   string             `json:"phase"`
	Workers int                `json:"workers"`
	Done    int                `json:"done"`
	CPU     map[string]float64 `json:"cpu_seconds"` // by process
	Memory  map[string]Memory  `json:"memory"`      // at the end of the phase
	Commits float64            `json:"commits"`     // transactions that PostgreSQL ended
	Syncs   float64            `json:"wal_syncs"`
	WAL     float64            `json:"wal_bytes"`
}

// seconds is the processor time of all processes.
func (u Usage) seconds() float64 {
	total := 0.0
	for _, s := range u.CPU {
		total += s
	}
	return total
}

// roles is the memory of Clinker's own processes.
func (u Usage) roles() Memory {
	var m Memory
	for _, role := range []string{"api", "scheduler", "volumed"} {
		m = m.plus(u.Memory[role])
	}
	return m
}

// meter looks at the processes before and after each phase.
type meter struct {
	roots map[string]int
	url   string
	usage []Usage
}

func newMeter(c *cloud) *meter {
	m := &meter{roots: map[string]int{"postgres": c.postgres.PID()}, url: c.postgres.URL(database)}
	for _, p := range c.processes {
		m.roots[p.name] = p.pid()
	}
	return m
}

// note keeps the memory at one moment.
func (m *meter) note(phase string, workers, done int) *Usage {
	m.usage = append(m.usage, Usage{Phase: phase, Workers: workers, Done: done, Memory: treeMemory(m.roots)})
	return &m.usage[len(m.usage)-1]
}

// idle looks at processes that have nothing to do, for as many seconds as it
// says were done.
func (m *meter) idle(ctx context.Context) {
	const seconds = 5
	end := m.observe("idle, each second", 0)
	select {
	case <-ctx.Done():
	case <-time.After(seconds * time.Second):
	}
	end(&load.Result{Done: seconds, Seconds: seconds})
}

// observe is load.Options.Observe.
func (m *meter) observe(phase string, workers int) func(*load.Result) {
	fmt.Fprintf(os.Stderr, "%s, %d at once …", phase, workers)
	journal, cpu := m.database(), treeSeconds(m.roots)
	return func(r *load.Result) {
		after := treeSeconds(m.roots)
		fmt.Fprintf(os.Stderr, " %d in %.1f s, %d errors\n", r.Done, r.Seconds, r.Errors)
		u := m.note(phase, workers, r.Done)
		u.CPU = map[string]float64{}
		for name := range m.roots {
			u.CPU[name] = after[name] - cpu[name]
		}
		now := m.database()
		u.Commits, u.Syncs, u.WAL = now[0]-journal[0], now[1]-journal[1], now[2]-journal[2]
	}
}

// database reads PostgreSQL's own counters: commits, syncs of its journal, bytes
// written there. Its processes report about once a second.
func (m *meter) database() (counters [3]float64) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, m.url)
	if err != nil {
		return counters
	}
	defer conn.Close(ctx)
	_ = conn.QueryRow(ctx, `SELECT (SELECT sum(xact_commit) FROM pg_stat_database)::float8, wal_sync::float8, wal_bytes::float8
		FROM pg_stat_wal`).Scan(&counters[0], &counters[1], &counters[2])
	return counters
}
