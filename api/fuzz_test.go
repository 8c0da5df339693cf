package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/policy"
)

// explained fails unless the error is a refusal that a caller can read.
func explained(t *testing.T, err error, codes ...fault.Code) {
	t.Helper()
	if err == nil {
		return
	}
	for _, code := range codes {
		if text := fault.MessageOf(err); fault.Is(err, code) && utf8.ValidString(text) && len(text) < 4000 {
			return
		}
	}
	t.Fatalf("%T %q", err, err)
}

func FuzzNegotiate(f *testing.F) {
	for _, header := range []string{"", "volume 3.27", "volume latest", "compute 2.1, volume 3.71", "volume", "volume 3.01", "volume 99.99", "\x00"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		v, err := negotiate(header)
		if err == nil && (v < MinVersion || v > MaxVersion) {
			t.Fatalf("%q is %s", header, v)
		}
		if len(header) < 1000 {
			explained(t, err, fault.Invalid, fault.NotAccepted)
		}
	})
}

func FuzzDict(f *testing.F) {
	for _, text := range []string{`{'a': 'b'}`, `{"a": "b"}`, `{u'a': u"b'c"}`, `{'a': 'b\'\\\n\xe9\u20ac'}`, `{}`, `{'a'`, `'`, `{'a': '\`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := dict("metadata", text)
		if len(text) < 1000 && utf8.ValidString(text) {
			explained(t, err, fault.Invalid)
		}
		if err != nil {
			return
		}
		again, err := dict("metadata", python(pairs))
		if err != nil || !maps.Equal(pairs, again) {
			t.Fatalf("%q gave %q, and that, as Python prints it, %q: %v", text, pairs, again, err)
		}
	})
}

// python prints a dict as Python does.
func python(pairs map[string]string) string {
	var parts []string
	for key, value := range pairs {
		parts = append(parts, repr(key)+": "+repr(value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func repr(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\'' || r == '\\':
			out.WriteString(`\` + string(r))
		case r == '\n':
			out.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&out, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return "'" + out.String() + "'"
}

// fuzzCall is a call as far as reading a query goes.
func fuzzCall(f *testing.F) func(query url.Values, version uint8, admin bool) *Call {
	rules, _, err := policy.New(policy.Options{EnforceNewDefaults: true})
	if err != nil {
		f.Fatal(err)
	}
	s := &Server{Options: Options{MaxLimit: 1000, Filters: defaultFilters()}, policy: rules}
	return func(query url.Values, version uint8, admin bool) *Call {
		c := &Call{server: s, Query: query, Version: Version(version) % (MaxVersion + 1), request: httptest.NewRequest("GET", "/", nil), header: http.Header{}}
		c.Identity.IsAdmin, c.Identity.ProjectID = admin, ownProject
		return c
	}
}

func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"limit=1&marker=x&sort=size:asc,name", "sort_key=a&sort_dir=desc", "metadata={'a':'b'}&created_at=gte:2026-01-01T00:00:00", "name~=a%25&size=1&bootable=yes&with_count=1",
		"host=a@b%23c&all_tenants=1&project_id=x", "offset=-1", "glance_metadata=&group_id=&consumes_quota=", "is_public=none&extra_specs={}", "sort=,,:",
	} {
		f.Add(query, uint8(71), true)
		f.Add(query, uint8(0), false)
	}
	call := fuzzCall(f)
	f.Fuzz(func(t *testing.T, text string, version uint8, admin bool) {
		query, err := url.ParseQuery(text)
		if err != nil || len(text) > 1000 {
			return
		}
		c := call(query, version, admin)
		if err := c.checkText(); err != nil {
			explained(t, err, fault.Invalid)
			return
		}
		_, _, err = c.volumeQuery()
		explained(t, err, fault.Invalid)
		_, err = c.messageQuery()
		explained(t, err, fault.Invalid)
		_, err = c.filters(attachmentFilters)
		explained(t, err, fault.Invalid)
		_, err = c.filters(typeFilters)
		explained(t, err, fault.Invalid)
		sorts, err := sortKeys(query, volumeRename)
		explained(t, err, fault.Invalid)
		if err == nil && len(sorts) == 0 {
			t.Fatal("an order without a key")
		}
	})
}

func FuzzSchemas(f *testing.F) {
	all, err := loadSchemas()
	if err != nil {
		f.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(all))
	for i, body := range []string{
		`{"volume": {"size": 1, "name": "n", "metadata": {"a": "b"}}}`, `{"volume": {"size": "99999999999999999999"}}`, `{"volume": {"size": 1e999999}}`,
		`{"attachment": {"volume_uuid": "` + missing + `", "connector": {"host": "h"}}}`, `{"os-extend": {"new_size": "00"}}`, `{"quota_set": {"a": -1.0}}`,
		`{"volume_type": {"name": "\u0000"}}`, `[]`, `{"a": {"b": [{"c": null}]}}`, `{"meta": {"": ""}}`, "{",
		`{"volume": {"size": 1, "SIZE": -5}}`, `{"volume": {"size": 1, "name": "` + strings.Repeat("n", 256) + `"}, "volume": {"size": 1}}`, `{"volume": {"` + strings.Repeat("k", 5000) + `": 1}}`,
	} {
		f.Add(uint8(i), uint8(71), []byte(body))
		f.Add(uint8(i*7), uint8(0), []byte(body))
		f.Add(uint8(slices.Index(names, "volumes.create")), uint8(0), []byte(body))
	}
	f.Fuzz(func(t *testing.T, which, version uint8, body []byte) {
		name := names[int(which)%len(names)]
		doc, err := all.check(name, Version(version)%(MaxVersion+1), body)
		explained(t, err, fault.Invalid)
		if err != nil {
			return
		}
		// What has passed can be read, or is refused with a sentence.
		c := &Call{doc: doc}
		for _, in := range []any{&volumeRequest{}, &serviceRequest{}, &metadataRequest{}} {
			explained(t, c.Decode(in), fault.Invalid)
		}
		if in := (volumeRequest{}); name == "volumes.create" && c.Decode(&in) == nil {
			withinSchema(t, in)
		}
	})
}

// withinSchema fails when something is read that the schema would have refused.
func withinSchema(t *testing.T, in volumeRequest) {
	v := in.Volume
	for _, text := range []*trimmed{v.Name, v.DisplayName, v.Description, v.DisplayDescription} {
		if text != nil && utf8.RuneCountInString(string(*text)) > 255 {
			t.Errorf("a text of %d characters", utf8.RuneCountInString(string(*text)))
		}
	}
	for key, value := range v.Metadata {
		if n := utf8.RuneCountInString(key); n < 1 || n > 255 || utf8.RuneCountInString(value) > 255 {
			t.Errorf("metadata %q: %q", key, value)
		}
	}
	if v.Size < 0 {
		t.Errorf("a size of %d", v.Size)
	}
}

func FuzzConnector(f *testing.F) {
	for _, text := range []string{`{"host": "h", "initiator": "iqn.x", "mode": "ro"}`, `{}`, `null`, ``, `{"host": 1}`, `{"host": "h", "initiator": "i", "mode": "x"}`, `[]`, `{"host": null}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		parsed, err := parseConnector(json.RawMessage(raw))
		if len(raw) < 1000 && utf8.Valid(raw) {
			explained(t, err, fault.Invalid)
		}
		if err == nil && parsed != nil && (parsed.Host == "" || parsed.Initiator == "") {
			t.Fatalf("%s gave %+v", raw, parsed)
		}
		leaves, err := parseLeaving(json.RawMessage(raw))
		if len(raw) < 1000 && utf8.Valid(raw) {
			explained(t, err, fault.Invalid)
		}
		if err == nil && leaves != nil && leaves.Host+leaves.Initiator == "" {
			t.Fatalf("%s gave %+v", raw, leaves)
		}
		if err == nil && leaves.of(db.Attachment{}) {
			t.Fatalf("%s is an attachment's that nobody has", raw)
		}
	})
}

func FuzzTagMatches(f *testing.F) {
	f.Add(`"a", "b"`, "a")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, header, tag string) {
		if tagMatches(header, "0123456789abcdef") && header != "" && strings.TrimSpace(header) != "*" && !strings.Contains(header, "0123456789abcdef") {
			t.Fatalf("%q", header)
		}
		if !strings.ContainsAny(tag, `", `+"\t\n\v\f\r\u0085\u00a0") && strings.TrimSpace(tag) == tag && !tagMatches(`"x", "`+tag+`"`, tag) {
			t.Fatalf("%q does not match itself", tag)
		}
	})
}
