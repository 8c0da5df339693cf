package placement

import (
	"cmp"
	"fmt"
	"slices"
)

// rank orders pools by the sum of their weights, best first.
func (p *Placer) rank(pools []*Pool, r *Request) []Choice {
	if len(pools) == 0 {
		return nil
	}
	choices := make([]Choice, len(pools))
	for i, pool := range pools {
		choices[i] = Choice{Pool: *pool, Reasons: make([]string, 0, len(p.weighers))}
	}
	figures := make([]float64, len(pools))
	for _, w := range p.weighers {
		for i, pool := range pools {
			figures[i] = w.figure(r, pool)
		}
		least, greatest := slices.Min(figures), slices.Max(figures)
		for i, figure := range figures {
			weight := w.multiplier * normal(figure, least, greatest, w.noise)
			choices[i].Score += weight
			choices[i].Reasons = append(choices[i].Reasons, fmt.Sprintf("%s %.4g weighs %.3f", w.name, figure, weight))
		}
	}
	slices.SortFunc(choices, better)
	return choices
}

// normal brings a figure to 0..1 as Cinder's weights.normalize does: 0 for
// the least and 1 for the greatest, 0 for all when they are equal. No difference
// within noise counts, neither of all nor from the greatest.
func normal(figure, least, greatest, noise float64) float64 {
	switch {
	case greatest-least <= noise:
		return 0
	case greatest-figure <= noise:
		return 1
	}
	return (figure - least) / (greatest - least)
}

// better puts the greater score first. Equal scores: fewer claims since the
// poll, so that a burst of creates goes round; then the smaller share of the
// pool promised, then fewer volumes; at last the name, so that the answer never
// depends on chance.
func better(a, b Choice) int {
	return cmp.Or(
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(a.Pool.ClaimedSincePoll, b.Pool.ClaimedSincePoll),
		cmp.Compare(promisedShare(&a.Pool), promisedShare(&b.Pool)),
		cmp.Compare(a.Pool.Volumes, b.Pool.Volumes),
		cmp.Compare(a.Pool.Name, b.Pool.Name),
	)
}

// promisedShare is how much of the pool's physical size is promised; above 1
// for an over-subscribed one.
func promisedShare(p *Pool) float64 {
	return float64(p.AllocatedBytes+p.OtherBytes) / float64(max(p.TotalBytes, 1))
}
