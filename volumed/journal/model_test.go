package journal

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

// model is what a journal should hold, written as plainly as can be.
type model struct {
	generation map[string]int64
	ended      map[string]map[string]bool // resource → pools
	exports    map[string]Export
}

func (m *model) admits(f Fence) bool {
	have := m.generation[f.Resource]
	return f.Generation > have || f.Generation == have && (f.Ends || !m.ended[f.Resource][f.Pool])
}

func (m *model) accept(f Fence) {
	if f.Generation > m.generation[f.Resource] {
		m.generation[f.Resource], m.ended[f.Resource] = f.Generation, map[string]bool{}
	}
	if f.Ends {
		m.ended[f.Resource][f.Pool] = true
	}
}

// TestLikeItsModel: whatever is asked for, in whatever order, with a power cut
// after any step, the journal holds what it promised and no older generation
// is ever accepted.
func TestLikeItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(t.TempDir(), "journal")
		j := open(t, path)
		m := &model{map[string]int64{}, map[string]map[string]bool{}, map[string]Export{}}
		fence := func(rt *rapid.T, resources ...string) Fence {
			return Fence{
				Operation:  "op",
				Resource:   rapid.SampledFrom(resources).Draw(rt, "resource"),
				Generation: rapid.Int64Range(1, 5).Draw(rt, "generation"),
				Pool:       rapid.SampledFrom([]string{"p", "q"}).Draw(rt, "pool"),
			}
		}
		judge := func(f Fence, err error) bool {
			if ok := m.admits(f); ok != (err == nil) || !ok && !fault.Is(err, fault.Stale) {
				rt.Fatalf("fence %+v: admitted %v, got %v", f, ok, err)
			}
			if err == nil {
				m.accept(f)
			}
			return err == nil
		}
		rt.Repeat(map[string]func(*rapid.T){
			"accept": func(rt *rapid.T) {
				f := fence(rt, "v1", "v2")
				f.Ends = rapid.Bool().Draw(rt, "ends")
				judge(f, j.Accept(f))
			},
			"grant": func(rt *rapid.T) {
				f := fence(rt, "a1", "a2", "a3")
				volume := rapid.SampledFrom([]string{"v1", "v2"}).Draw(rt, "volume")
				g := Grant{Initiator: rapid.SampledFrom([]string{"i1", "i2"}).Draw(rt, "initiator"), Username: f.Resource, Password: target.Secret(rapid.StringN(0, 4, 8).Draw(rt, "password"))}
				e := m.exports[volume]
				if len(e.Grants) > 0 && e.Pool != f.Pool && m.admits(f) {
					if _, err := j.Grant(f, volume, g, Limits{}, fine); !fault.Is(err, fault.Conflict) {
						rt.Fatalf("another pool: %v", err)
					}
					return
				}
				got, err := j.Grant(f, volume, g, Limits{}, fine)
				if !judge(f, err) {
					return
				}
				m.grant(f, volume, g)
				if want := m.exports[volume]; !cmp.Equal(want, got) {
					rt.Fatal(cmp.Diff(want, got))
				}
			},
			"revoke": func(rt *rapid.T) {
				f := fence(rt, "a1", "a2", "a3")
				volume := rapid.SampledFrom([]string{"v1", "v2"}).Draw(rt, "volume")
				_, _, err := j.Revoke(f, volume)
				f.Ends = true
				if e, ok := m.exports[volume]; judge(f, err) && ok {
					e.Grants = slices.DeleteFunc(slices.Clone(e.Grants), func(g Grant) bool { return g.Attachment == f.Resource })
					m.exports[volume] = e
				}
			},
			"restart": func(*rapid.T) {
				if err := j.Close(); err != nil {
					rt.Fatal(err)
				}
				j = open(t, path)
			},
			"power cut": func(*rapid.T) {
				cut := crash(t, j)
				j.Close()
				j, path = cut, cut.db.Path()
			},
			"": func(*rapid.T) { m.compare(rt, j) },
		})
		j.Close()
	})
}

// grant follows the rule of one login for an initiator.
func (m *model) grant(f Fence, volume string, g Grant) {
	e := m.exports[volume]
	e.Volume, e.Pool = volume, f.Pool
	g.Attachment, g.Generation = f.Resource, f.Generation
	place := slices.IndexFunc(e.Grants, func(o Grant) bool { return o.Attachment == g.Attachment })
	for _, o := range e.Grants {
		if o.Attachment != g.Attachment && o.Initiator == g.Initiator {
			g.Username, g.Password = o.Username, o.Password
		}
	}
	e.Grants = slices.Clone(e.Grants)
	if place < 0 {
		e.Grants = append(e.Grants, g)
	} else {
		e.Grants[place] = g
	}
	m.exports[volume] = e
}

func (m *model) compare(rt *rapid.T, j *Journal) {
	for resource, want := range m.generation {
		if got := j.Generation(resource); got != want {
			rt.Fatalf("%s: generation %d, want %d", resource, got, want)
		}
	}
	all, err := j.Exports()
	if err != nil {
		rt.Fatal(err)
	}
	got := map[string]Export{}
	for _, e := range all {
		got[e.Volume] = e
		logins := map[string]string{}
		for _, g := range e.Grants {
			if have, ok := logins[g.Initiator]; ok && have != g.Username+string(g.Password) {
				rt.Fatalf("%s has two logins on %s", g.Initiator, e.Volume)
			}
			logins[g.Initiator] = g.Username + string(g.Password)
		}
	}
	if !maps.EqualFunc(m.exports, got, func(a, b Export) bool {
		return a.Pool == b.Pool && slices.Equal(a.Grants, b.Grants)
	}) {
		rt.Fatal(cmp.Diff(m.exports, got))
	}
}

func BenchmarkAccept(b *testing.B) {
	j := fresh(b)
	for i := int64(1); b.Loop(); i++ {
		if err := j.Accept(Fence{Resource: "v", Generation: i}); err != nil {
			b.Fatal(err)
		}
	}
}
