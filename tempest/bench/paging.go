package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/tempest/load"
)

// pageSize is Cinder's default osapi_max_limit.
const pageSize = 1000

// Paging is how long a page of 1,000 volumes takes in a project that has few and
// in one that has many.
type Paging struct {
	Few   int        `json:"few"`
	Many  int        `json:"many"`
	Pages []PageTime `json:"pages"`
}

// PageTime is one page's, in milliseconds: the median of many answers, and how they
// relate. Both projects are asked in turn: how fast a machine is changes from one
// second to the next.
type PageTime struct {
	Sort  string  `json:"sort"`
	Place string  `json:"place"`
	Few   float64 `json:"few_ms"`
	Many  float64 `json:"many_ms"`
	Ratio float64 `json:"ratio"`
}

// order is a list that is paged through.
type order struct{ parameter, sql string }

// orders are: as clients ask without saying, and by a key that users sort by.
var orders = []order{
	{"", "created_at DESC, id DESC"},
	{"name:asc", "COALESCE(name, ''), created_at, id"},
}

// pageRounds is how often each page is asked for.
const pageRounds = 151

// pager asks for pages in a project whose rows it writes itself: making 100,000
// volumes would measure something else.
type pager struct {
	endpoint load.Endpoint
	conn     *pgx.Conn
	volumes  int
}

// paging measures both.
func (b *bench) paging(ctx context.Context, c *cloud) (*Paging, error) {
	conn, err := pgx.Connect(ctx, c.postgres.URL(database))
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	small, err := c.identity.logIn(ctx, 1)
	if err != nil {
		return nil, err
	}
	few, many := &pager{small, conn, 2 * pageSize}, &pager{c.endpoint, conn, b.PagingVolumes}
	fmt.Fprintf(os.Stderr, "pages among %d and %d volumes …", few.volumes, many.volumes)
	for _, p := range []*pager{few, many} {
		if err := p.fill(ctx); err != nil {
			return nil, fmt.Errorf("write %d volumes: %w", p.volumes, err)
		}
	}
	result := &Paging{Few: few.volumes, Many: many.volumes}
	for _, order := range orders {
		for _, place := range []string{"first", "middle", "last"} {
			times := PageTime{Sort: order.parameter, Place: place}
			if err := times.measure(ctx, order, few, many); err != nil {
				return nil, err
			}
			result.Pages = append(result.Pages, times)
		}
	}
	fmt.Fprintln(os.Stderr)
	_, err = conn.Exec(ctx, "DELETE FROM volumes WHERE provider_id = 'paging'")
	return result, err
}

func (t *PageTime) measure(ctx context.Context, order order, few, many *pager) error {
	var took [2][]time.Duration
	var queries [2]string
	for i, p := range []*pager{few, many} {
		var err error
		if queries[i], err = p.query(ctx, order, t.Place); err != nil {
			return err
		}
	}
	for range pageRounds {
		for i, p := range []*pager{few, many} {
			one, err := p.page(ctx, queries[i])
			if err != nil {
				return err
			}
			took[i] = append(took[i], one)
		}
	}
	t.Few, t.Many = median(took[0]), median(took[1])
	t.Ratio = t.Many / t.Few
	return nil
}

// median is in milliseconds.
func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Microseconds()) / 1000
}

// query asks for a page that begins behind a row of the project.
func (p *pager) query(ctx context.Context, order order, place string) (string, error) {
	query := fmt.Sprintf("/volumes/detail?limit=%d", pageSize)
	if order.parameter != "" {
		query += "&sort=" + order.parameter
	}
	behind := map[string]int{"first": 0, "middle": p.volumes/2 - pageSize/2, "last": p.volumes - pageSize}[place]
	if behind == 0 {
		return query, nil
	}
	marker, err := p.marker(ctx, order.sql, behind)
	return query + "&marker=" + marker, err
}

// fill brings the project to its number of volumes: rows such as creating leaves
// them, a millisecond apart. PostgreSQL looks at them, as autovacuum does a little
// later, and puts them on the disk: while it does that, everything takes longer.
func (p *pager) fill(ctx context.Context) error {
	var has int
	err := p.conn.QueryRow(ctx, "SELECT count(*) FROM volumes WHERE project_id = $1 AND deleted_at IS NULL", p.endpoint.Project).Scan(&has)
	if err != nil {
		return err
	}
	_, err = p.conn.Exec(ctx, `INSERT INTO volumes (id, project_id, user_id, name, size_gib, status, volume_type_id,
			availability_zone, host, provider_id, created_at, launched_at)
		SELECT gen_random_uuid(), $1, 'bench', 'volume-' || md5(i::text), 1, 'available', t.id, 'nova', 'node@file#file', 'paging',
			now() + i * interval '1 millisecond', now() FROM generate_series($2::int, $3::int) AS i, volume_types t WHERE t.name = '__DEFAULT__'`,
		p.endpoint.Project, has+1, p.volumes)
	for _, sql := range []string{"VACUUM ANALYZE volumes", "CHECKPOINT"} {
		if err == nil {
			_, err = p.conn.Exec(ctx, sql)
		}
	}
	return err
}

// marker is the id of the row with that number, counted from 1.
func (p *pager) marker(ctx context.Context, order string, number int) (id string, err error) {
	err = p.conn.QueryRow(ctx, "SELECT id FROM volumes WHERE project_id = $1 AND deleted_at IS NULL ORDER BY "+order+
		" OFFSET $2 LIMIT 1", p.endpoint.Project, number-1).Scan(&id)
	return id, err
}

// page gives the time of one answer.
func (p *pager) page(ctx context.Context, query string) (time.Duration, error) {
	begin := time.Now()
	body, err := p.get(ctx, query)
	took := time.Since(begin)
	if n := strings.Count(body, `"attachments"`); err == nil && n != pageSize {
		err = fmt.Errorf("GET %s: %d volumes", query, n)
	}
	return took, err
}

func (p *pager) get(ctx context.Context, query string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.endpoint.URL+query, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Auth-Token", p.endpoint.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", query, response.Status, body)
	}
	return string(body), err
}

func (p *Paging) print(out io.Writer) error {
	if p == nil {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\na page of %d in detail\tof %d\tof %d volumes\tratio\t\n", pageSize, p.Few, p.Many)
	for _, t := range p.Pages {
		what := t.Place
		if t.Sort != "" {
			what += ", by " + t.Sort
		}
		fmt.Fprintf(w, "%s\t%.1f ms\t%.1f ms\t%.2f\t\n", what, t.Few, t.Many, t.Ratio)
	}
	return w.Flush()
}

// worst is the largest ratio of all.
func (p *Paging) worst() (ratio float64) {
	for _, t := range p.Pages {
		ratio = max(ratio, t.Ratio)
	}
	return ratio
}
