package api

import (
	"net/url"

	"clinker/db"
)

// links writes self, which keeps /v3, and bookmark, which drops it. The roots
// are made once a request, since a list has two thousand links. collection is
// ours and id is a UUID, so that neither needs escaping.
func (c *Call) links(o object, collection, id string) {
	if c.selfRoot == "" {
		c.selfRoot, c.bookmarkRoot = quoted(c.root("/v3")), quoted(c.root(""))
	}
	o.field("links")
	b := append(o.w.Buf, `[{"rel":"self","href":"`...)
	b = append(append(append(append(b, c.selfRoot...), collection...), '/'), id...)
	b = append(b, `"},{"rel":"bookmark","href":"`...)
	b = append(append(append(append(b, c.bookmarkRoot...), collection...), '/'), id...)
	o.w.Buf = append(b, `"}]`...)
}

func link(o object, rel, href string) {
	o.str("rel", rel)
	o.str("href", href)
}

// next writes the link to the page behind this one, under key, when this page
// is full. last is the id of its last row.
func (c *Call) next(o object, key name, path string, q db.Query, rows int, last string) {
	if rows == 0 || rows < q.Limit {
		return
	}
	query := url.Values{}
	for k, v := range c.Query {
		query[k] = v
	}
	query.Set("marker", last)
	href := c.root("/v3") + path + "?" + query.Encode()
	objects(o, key, []string{href}, func(o object, href string) { link(o, "next", href) })
}
