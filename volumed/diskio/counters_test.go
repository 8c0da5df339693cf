package diskio

import (
	"math"
	"testing"
)

func TestParseDiskstats(t *testing.T) {
	t.Parallel()
	got := parseDiskstats(`   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 110024 28300 3782714 33208 32193 47829 3753048 16606 0 11256 50909 12887 40 1203040 936 4059 159
 253       1 dm-1 5 0 40 7 6 0 48 8 0 9 15
   8       1 sda1 5 0 40 7 6 0 48 8 -1 9 15 2 0 100 3
   8       2 sda2 5 0 40 7
   8       3 sda3 5 0 x 7 6 0 48 8 0 9 15

`)
	want := map[string]counters{
		"loop0": {},
		"vda":   {Operations: 110024 + 32193 + 12887 + 4059, Sectors: 3782714 + 3753048, WaitMS: 33208 + 16606 + 936 + 159, BusyMS: 11256},
		"dm-1":  {Operations: 11, Sectors: 88, WaitMS: 15, BusyMS: 9},
		"sda1":  {Operations: 13, Sectors: 88, WaitMS: 18, BusyMS: 9},
	}
	if len(got) != len(want) {
		t.Errorf("got %d disks, want %d: %v", len(got), len(want), got)
	}
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: got %+v, want %+v", name, got[name], w)
		}
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		earlier, later counters
		want           counters
		ok             bool
	}{
		{"grows", counters{1, 2, 3, 4}, counters{11, 22, 33, 44}, counters{10, 20, 30, 40}, true},
		{"times wrap", counters{1, 2, math.MaxUint32 - 1, math.MaxUint32}, counters{1, 2, 8, 4}, counters{0, 0, 10, 5}, true},
		{"operations fell: began anew", counters{10, 0, 0, 0}, counters{9, 5, 5, 5}, counters{}, false},
		{"sectors fell: began anew", counters{0, 10, 0, 0}, counters{5, 9, 5, 5}, counters{}, false},
	} {
		if got, ok := c.later.since(c.earlier); got != c.want || ok != c.ok {
			t.Errorf("%s: got %+v %v", c.name, got, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("254 0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "1 2 3 4 5 6 7 8 9 10 11")
	f.Add("254 0 vda 18446744073709551615 2 18446744073709551615 4294967295 5 6 7 8 -9 10 11", "")
	f.Add("\x00", "1 2 3 4 5 6 7 8 9 10 -11")
	f.Fuzz(func(t *testing.T, diskstats, stat string) {
		for name, c := range parseDiskstats(diskstats) {
			if name == "" {
				t.Fatal("a disk without a name")
			}
			if added, ok := c.since(c); !ok || added != (counters{}) {
				t.Fatalf("%+v since itself: %+v", c, added)
			}
		}
		if c, err := parseStat(stat); err == nil {
			listed := parseDiskstats("8 0 sda " + stat)
			if own, there := listed["sda"]; there && own != c && len(listed) == 1 {
				t.Fatalf("%+v listed, %+v on its own", own, c)
			}
		}
	})
}
