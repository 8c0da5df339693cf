package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/tempest/load"
)

// pageSize is Cinder's default osapi_max_limit.
const pageSize = 1000

// Paging is how long a page of 1,000 volumes takes in a project that has few and
// in the same project when it has many.
type Paging struct {
	Few   int        `json:"few"`
	Many  int        `json:"many"`
	Pages []PageTime `json:"pages"`
}

// PageTime is one page's: the fastest of some answers, so that what else the
// machine does is left out, and how they relate.
type PageTime struct {
	Sort  string  `json:"sort"`
	Place string  `json:"place"`
	Few   float64 `json:"few_ms"`
	Many  float64 `json:"many_ms"`
	Ratio float64 `json:"ratio"`
}

// orders are the lists that are paged through: as clients ask without saying,
// and by a key that users sort by.
var orders = []struct{ parameter, sql string }{
	{"", "created_at DESC, id DESC"},
	{"name:asc", "COALESCE(name, ''), created_at, id"},
}

// pager asks for pages in a project whose rows it writes itself: making 100,000
// volumes would measure something else.
type pager struct {
	endpoint load.Endpoint
	conn     *pgx.Conn
	rounds   int
}

// paging measures both.
func (b *bench) paging(ctx context.Context, c *cloud) (*Paging, error) {
	conn, err := pgx.Connect(ctx, c.postgres.URL(database))
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	p := pager{endpoint: c.endpoint, conn: conn, rounds: 21}
	result := &Paging{Few: 2 * pageSize, Many: b.PagingVolumes}
	few, err := p.measure(ctx, result.Few)
	if err != nil {
		return nil, err
	}
	many, err := p.measure(ctx, result.Many)
	if err != nil {
		return nil, err
	}
	for i := range few {
		few[i].Many, few[i].Ratio = many[i].Few, many[i].Few/few[i].Few
	}
	result.Pages = few
	_, err = conn.Exec(ctx, "DELETE FROM volumes WHERE project_id = $1 AND provider_id = 'paging'", p.endpoint.Project)
	return result, err
}

// measure brings the project to n volumes and asks for its pages.
func (p *pager) measure(ctx context.Context, n int) (times []PageTime, err error) {
	fmt.Fprintf(os.Stderr, "pages among %d volumes …", n)
	if err := p.fill(ctx, n); err != nil {
		return nil, fmt.Errorf("write %d volumes: %w", n, err)
	}
	for _, order := range orders {
		for _, page := range []struct {
			place  string
			behind int // the number of the row behind which the page begins
		}{{"first", 0}, {"middle", n/2 - pageSize/2}, {"last", n - pageSize}} {
			query := fmt.Sprintf("/volumes/detail?limit=%d", pageSize)
			if order.parameter != "" {
				query += "&sort=" + order.parameter
			}
			if page.behind > 0 {
				marker, err := p.marker(ctx, order.sql, page.behind)
				if err != nil {
					return nil, err
				}
				query += "&marker=" + marker
			}
			fastest, err := p.page(ctx, query)
			if err != nil {
				return nil, err
			}
			times = append(times, PageTime{Sort: order.parameter, Place: page.place, Few: fastest})
		}
	}
	fmt.Fprintln(os.Stderr)
	return times, nil
}

// fill writes rows such as creating leaves them, a millisecond apart, and has
// PostgreSQL look at them as autovacuum does a little later.
func (p *pager) fill(ctx context.Context, n int) error {
	var has int
	err := p.conn.QueryRow(ctx, "SELECT count(*) FROM volumes WHERE project_id = $1 AND deleted_at IS NULL", p.endpoint.Project).Scan(&has)
	if err != nil {
		return err
	}
	_, err = p.conn.Exec(ctx, `INSERT INTO volumes (id, project_id, user_id, name, size_gib, status, volume_type_id,
			availability_zone, host, provider_id, created_at, launched_at)
		SELECT gen_random_uuid(), $1, 'bench', 'volume-' || md5(i::text), 1, 'available', t.id, 'nova', 'node@file#file', 'paging',
			now() + i * interval '1 millisecond', now() FROM generate_series($2::int, $3::int) AS i, volume_types t WHERE t.name = '__DEFAULT__'`,
		p.endpoint.Project, has+1, n)
	if err == nil {
		_, err = p.conn.Exec(ctx, "VACUUM ANALYZE volumes")
	}
	return err
}

// marker is the id of the row with that number, counted from 1.
func (p *pager) marker(ctx context.Context, order string, number int) (id string, err error) {
	err = p.conn.QueryRow(ctx, "SELECT id FROM volumes WHERE project_id = $1 AND deleted_at IS NULL ORDER BY "+order+
		" OFFSET $2 LIMIT 1", p.endpoint.Project, number-1).Scan(&id)
	return id, err
}

// page gives the time of the fastest of some answers, in milliseconds.
func (p *pager) page(ctx context.Context, query string) (float64, error) {
	fastest := time.Hour
	for range p.rounds {
		begin := time.Now()
		body, err := p.get(ctx, query)
		if err != nil {
			return 0, err
		}
		fastest = min(fastest, time.Since(begin))
		if n := strings.Count(body, `"attachments"`); n != pageSize {
			return 0, fmt.Errorf("GET %s: %d volumes", query, n)
		}
	}
	return float64(fastest.Microseconds()) / 1000, nil
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

// worst is the largest ratio of lists as clients ask for them. By any other key
// than creation a page's rows lie apart: of 2,000 volumes in 80 of PostgreSQL's
// pages, of 100,000 each in one of its own, which costs a microsecond a row.
func (p *Paging) worst() (ratio float64) {
	for _, t := range p.Pages {
		if t.Sort == "" {
			ratio = max(ratio, t.Ratio)
		}
	}
	return ratio
}
