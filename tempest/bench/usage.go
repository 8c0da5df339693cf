package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// tick is the unit of times in /proc/pid/stat: USER_HZ, 100 a second on every
// Linux there is (proc(5)).
const tick = 0.01

// treeSeconds reads, for each root process, the processor seconds that it and all its
// descendants have used since their start, those that ended and were waited for
// included.
func treeSeconds(roots map[string]int) map[string]float64 {
	parents, seconds := map[int]int{}, map[int]float64{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if pid, parent, used, ok := readStat(path); ok {
			parents[pid], seconds[pid] = parent, used
		}
	}
	sums := map[string]float64{}
	for pid, used := range seconds {
		for name, root := range roots {
			if descends(pid, root, parents) {
				sums[name] += used
			}
		}
	}
	return sums
}

func descends(pid, root int, parents map[int]int) bool {
	for ; pid > 1; pid = parents[pid] {
		if pid == root {
			return true
		}
	}
	return false
}

// readStat gives a process's parent and the seconds of processor time of itself
// and of its children that have ended.
func readStat(path string) (pid, parent int, seconds float64, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, 0, false // it has just ended
	}
	// The name, in parentheses, may itself contain spaces and parentheses.
	i := bytes.LastIndexByte(data, ')')
	fields := strings.Fields(string(data[i+1:]))
	if len(fields) < 15 {
		return 0, 0, 0, false
	}
	pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
	parent, _ = strconv.Atoi(fields[1])
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, _ := strconv.ParseInt(f, 10, 64)
		seconds += float64(ticks) * tick
	}
	return pid, parent, seconds, true
}

// Memory is what processes occupy, in MiB. RSS counts a page that several share
// once for each of them, PSS by shares.
type Memory struct {
	RSS float64 `json:"rss_mib"`
	PSS float64 `json:"pss_mib"`
}

func (m Memory) plus(o Memory) Memory { return Memory{m.RSS + o.RSS, m.PSS + o.PSS} }

// treeMemory gives the memory of each root process with its descendants.
func treeMemory(roots map[string]int) map[string]Memory {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if pid, parent, _, ok := readStat(path); ok {
			parents[pid] = parent
		}
	}
	sums := map[string]Memory{}
	for pid := range parents {
		for name, root := range roots {
			if descends(pid, root, parents) {
				sums[name] = sums[name].plus(readMemory(pid))
			}
		}
	}
	return sums
}

func readMemory(pid int) Memory {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return Memory{}
	}
	var m Memory
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "Rss:":
			m.RSS = kib / 1024
		case "Pss:":
			m.PSS = kib / 1024
		}
	}
	return m
}
