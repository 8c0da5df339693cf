package api

import (
	"net/url"
	"strings"
	"testing"

	"clinker/db"
)

// shelf is a world with volumes a to e of the members' project and o of
// another, an attachment of e, and messages of a and b; the youngest last.
func shelf(t *testing.T) *world {
	w := newWorld(t, func(o *Options) { o.Limits = db.Limits{}; o.MaxLimit = 20 })
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.volume("member", `, "name": "`+name+`"`)
	}
	w.volume("other", `, "name": "o"`)
	for _, sql := range []string{
		`UPDATE volumes SET created_at = '2026-01-01T00:00:00Z'::timestamptz + (ascii(name) - 97) * interval '1 day', updated_at = NULL`,
		`UPDATE volumes SET size_gib = ascii(name) - 96`,
		`UPDATE volumes SET metadata = '{"k": "v", "x": "y"}', bootable = true, image_metadata = '{"os": "debian"}' WHERE name = 'a'`,
		`UPDATE volumes SET metadata = '{"k": "v"}', status = 'error', group_id = '` + missing + `' WHERE name = 'b'`,
		`UPDATE volumes SET consumes_quota = false, migration_status = 'migrating', availability_zone = 'zone2' WHERE name = 'c'`,
		`UPDATE volumes SET admin_metadata = jsonb_build_object('readonly', CASE name WHEN 'a' THEN 'False' ELSE 'True' END) WHERE name IN ('a', 'd')`,
		`UPDATE volumes SET host = 'node2@lvm#pool', updated_at = '2026-02-01T00:00:00Z', description = 'x%y' WHERE name = 'd'`,
	} {
		if _, err := w.db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	w.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+w.id("e")+`", "instance_uuid": "`+server+`"}}`).want(t, 200)
	w.failure(w.id("a"))
	w.failure(w.id("b"))
	w.shelveSnapshots()
	w.shelveTransfers()
	w.shelveQos()
	w.shelveGroups()
	w.shelveBackups()
	return w
}

// id gives the id of the volume of that name.
func (w *world) id(name string) string {
	w.t.Helper()
	var id string
	if err := w.db.Pool().QueryRow(w.t.Context(), "SELECT id::text FROM volumes WHERE name = $1", name).Scan(&id); err != nil {
		w.t.Fatal(name, err)
	}
	return id
}

// filterScripts has requests for each row of filters.tsv, under
// "endpoint|kind|name": a persona, a query, and behind = the volumes that the
// answer is about, in its order, or a status.
var filterScripts = map[string][]string{
	"common|paging|limit": {
		"member volumes?limit=2 = e d", "member volumes?limit=0 = ", "member volumes?limit=99999 = e d c b a", "member volumes = e d c b a",
	},
	"common|paging|marker": {"member volumes?limit=2&marker={d} = c b", "member volumes?marker={a} = ", "member volumes?marker=" + missing + " = 404"},
	"common|paging|offset": {"member volumes?offset=3 = b a", "member volumes?offset=1&marker={d} = b a", "member volumes?offset=-1 = 400"},
	"common|sort|sort": {
		"member volumes?sort=size = e d c b a", "member volumes?sort=size:asc = a b c d e", "member volumes?sort=status:asc,size:desc = d c a b e", "member volumes?sort=%20status%20:%20asc,%20size:desc%20 = d c a b e",
		"member volumes?sort=size&sort_key=size = 400", "member volumes?sort=size&sort_dir=asc = 400",
	},
	"common|sort|sort_key, sort_dir": {"member volumes?sort_key=size&sort_dir=asc = a b c d e", "member volumes?sort_dir=asc = a b c d e", "member volumes?sort_key=size = e d c b a"},
	"common|sort|tie break":          {"member volumes?sort=bootable:asc&limit=2 = b c", "member volumes?sort=bootable:desc&limit=2 = a e", "member volumes?sort=bootable:asc&marker={c} = d e a"},
	"common|count|with_count":        {"member@45 volumes?with_count=true&limit=1 = e", "member@44 volumes?with_count=true = 400", "member@30 volumes?with_count=true = e d c b a"},
	"common|filter|all_tenants": {
		"admin volumes?all_tenants=1 = o e d c b a", "admin volumes?all_tenants=0 = e d c b a", "admin volumes?all_tenants=x = 400", "member volumes?all_tenants=1 = e d c b a", "member@71 volumes?all_tenants=x = e d c b a",
	},
	"common|filter|project_id": {
		"admin volumes?all_tenants=1&project_id=" + otherProject + " = o", "member@31 volumes?project_id=" + otherProject + " = 400", "member volumes?project_id=" + otherProject + " = e d c b a",
	},
	"common|filter|unknown filter, non-admin": {"member@30 volumes?x=y = e d c b a", "member@31 volumes?x=y = 400"},
	"common|filter|unknown filter, admin":     {"admin volumes?x=y = ", "admin@71 volumes?x=y = "},
	"common|filter|like form": {
		"member@34 volumes?name~=a = 400", "admin@34 volumes?name~=a = a", "admin@34 volumes?display_description~=%25 = d", "admin@34 volumes?display_description~=_ = ",
	},
	"common|filter|values": {"member volumes?status=error,available = ", "member volumes?name=a&name=a = a"},

	"volumes.list, volumes.detail|filter|name, status": {
		"member@71 volumes?name=a = a", "member@71 volumes?status=error = b", "member@71 volumes?metadata={'k':'v'} = b a", "member@71 volumes?bootable=true = a",
		"member@71 volumes?migration_status=migrating = c", "member@71 volumes?availability_zone=zone2 = c", "member@71 volumes?group_id=" + missing + " = b",
		"member@71 volumes?size=3 = c", "member@71 volumes?created_at=gte:2026-01-05T00:00:00 = e", "member@71 volumes?updated_at=gt:2026-01-01T00:00:00 = e d", "member@71 volumes?consumes_quota=false = c",
		"member@71 volumes?display_name=a = 400", "member@71 volumes?host=node1 = 400", "member volumes/detail?status=error = b",
	},
	"volumes.list, volumes.detail|filter|name": {"member volumes?name=a = a", "member volumes?name=A = ", "admin volumes?display_name=a = a"},
	"volumes.list, volumes.detail|filter|metadata": {
		"member volumes?metadata={'k':'v','x':'y'} = a", `member volumes?metadata={"k":"v"} = b a`, "member volumes?metadata={u'k':+u'v'} = b a", "member volumes?metadata={} = e d c b a", "member volumes?metadata=nonsense = 400", "member volumes?metadata={'k':'w'} = ",
		"member volumes?metadata={'readonly':'True'} = d", "member volumes?metadata={'k':'v','readonly':'False'} = a", "member volumes?metadata={'k':'w','readonly':'False'} = ",
	},
	"volumes.list, volumes.detail|filter|bootable": {
		"member@2 volumes?bootable=True = a", "member@2 volumes?bootable=0 = e d c b", "member@2 volumes?bootable=x = 400", "member@1 volumes?bootable=x = a", "member@1 volumes?bootable=off = e d c b",
	},
	"volumes.list, volumes.detail|filter|glance_metadata": {"member@4 volumes?glance_metadata={'os':'debian'} = e d c b a", "member@31 volumes?glance_metadata={'os':'debian'} = 400", "admin@4 volumes?glance_metadata={'os':'debian'} = a", "admin@3 volumes?glance_metadata={'os':'debian'} = e d c b a"},
	"volumes.list, volumes.detail|filter|group_id":        {"member@10 volumes?group_id=" + missing + " = b", "member@9 volumes?group_id=" + missing + " = e d c b a", "member@10 volumes?group_id=x = "},
	"volumes.list, volumes.detail|filter|created_at": {
		"member@60 volumes?created_at=gt:2026-01-02T00:00:00,lte:2026-01-04T00:00:00 = d c", "member@60 volumes?created_at=eq:2026-01-02T00:00:00 = b", "member@60 volumes?created_at=neq:2026-01-02T00:00:00 = e d c a",
		"member@60 volumes?created_at=lt:2026-01-02T00:00:00 = a", "member@60 volumes?updated_at=lte:2026-02-01T00:00:00 = d", "member@59 volumes?created_at=lt:2026-01-02T00:00:00 = e d c b a", "member@60 volumes?created_at=gt:yesterday = 400", "member@60 volumes?created_at=xx:2026-01-02T00:00:00 = 400",
	},
	"volumes.list, volumes.detail|filter|consumes_quota": {"member@65 volumes?consumes_quota=no = c", "member@64 volumes?consumes_quota=no = e d c b a", "member@65 volumes?consumes_quota=x = 400"},
	"volumes.list, volumes.detail|filter|host": {
		"admin volumes?host=node2 = d", "admin volumes?host=node2@lvm = d", "admin volumes?host=node2@lvm%23pool = d", "admin volumes?host=node2@lvm%23other = ", "admin volumes?host=node = ", "admin volumes?display_description=x%25y = d", "admin volumes?user_id=1 = ", "admin volumes?attach_status=detached = e d c b a", "admin volumes?attach_status=attached = ", "member volumes?sort=attach_status = e d c b a", "admin volumes?size=two = 400", "member@30 volumes?host=node2 = e d c b a",
	},
	"volumes.list, volumes.detail|filter|no_migration": {"member volumes?no_migration_targets=True = e d c b a"},
	"volumes.list, volumes.detail|sort|": {
		"member volumes?sort=id = 200", "member volumes?sort=availability_zone:desc&limit=1 = c", "member volumes?sort=name:desc = e d c b a", "member volumes?sort=created_at:asc = a b c d e", "member volumes?sort=updated_at:desc&limit=1 = e", "member volumes?sort=display_name:asc = a b c d e", "member volumes?sort=metadata = 400",
		"member volumes?sort=updated_at:asc = a b c d e", "member volumes?sort=updated_at:asc&marker={c} = d e", "member volumes?sort=migration_status:desc,name:asc&marker={c} = a b d e",
	},
	"volumes.list, volumes.detail|links|": {"member volumes?limit=2 = e d", "member volumes/detail?limit=2 = e d"},
	"volumes.summary|filter|all_tenants":  {"member@12 volumes/summary?name=x&all_tenants=1 = 200"},

	"attachments.list, attachments.detail|filter|": {
		"member@27 attachments?volume_id={e} = e", "member@27 attachments?volume_id={a} = ", "member@31 attachments?status=reserved = e", "member@31 attachments?attach_status=reserved = e", "member@31 attachments?attach_status=attached = ",
		"member@44 attachments?instance_id=" + server + " = e", "member@44 attachments?instance_id=" + missing + " = ", "member@44 attachments?instance_uuid=" + server + " = 400", "admin@44 attachments?instance_uuid=" + server + " = e", "other@44 attachments = ",
	},
	"attachments.list, attachments.detail|sort|": {"member@27 attachments?sort=id = e", "member@27 attachments?sort=created_at:asc = e", "member@27 attachments?sort=volume_id = e", "member@27 attachments?sort=instance_uuid:asc = e", "member@27 attachments?sort=name = 400"},
	"attachments.list, attachments.detail|links": {"member@27 attachments?limit=1 = e", "member@27 attachments/detail?limit=1 = e", "member@27 attachments?offset=1 = "},

	"messages.list|filter|": {
		"member@5 messages?resource_uuid={a} = a", "member@5 messages?resource_type=VOLUME = b a", "member@5 messages?event_id=VOLUME_VOLUME_001_003 = b a", "member@5 messages?request_id=x = ", "member@5 messages?message_level=ERROR = b a", "member@4 messages?message_level=x = b a",
		"member@30 messages?x=y = b a", "member@31 messages?x=y = 400", "admin@31 messages?action_id=001 = b a",
	},
	"messages.list|sort|":  {"member@5 messages?sort=id = 200", "member@5 messages?sort=event_id:asc = a b", "member@5 messages?sort=created_at:asc = a b", "member@5 messages?sort=resource_uuid = 200", "member@5 messages?sort=resource_type = b a", "member@5 messages?sort=message_level = b a", "member@5 messages?sort=name = 400"},
	"messages.list|links|": {"member@5 messages?limit=1 = b"},

	"pools.list|filter|name":        {"admin@28 scheduler-stats/get_pools?name=x = 200", "admin@31 scheduler-stats/get_pools?host=x = 400"},
	"pools.list|filter|volume_type": {"admin@34 scheduler-stats/get_pools?volume_type=x = 200", "admin@35 scheduler-stats/get_pools?volume_type=x = 404"},
	"pools.list|query|detail":       {"admin scheduler-stats/get_pools?detail=yes = 200", "admin scheduler-stats/get_pools?detail=x = 400"},
	"pools.list|paging|none":        {"admin scheduler-stats/get_pools?limit=0 = 200"},

	"types.list|filter|is_public":     {"admin types?is_public=none = 200", "admin types?is_public=x = 400", "member types?is_public=x = 200"},
	"types.list|filter|extra_specs":   {"member@52 types?extra_specs={'a':'b'} = 200", "member@52 types?extra_specs=x = 400", "member@51 types?extra_specs=x = 200"},
	"types.list|filter|name and":      {"admin types?name=x = 200", "member@52 types?name=x = 400"},
	"types.list|paging|limit, marker": {"member types?limit=1&offset=0&sort=name:asc = 200", "member types?marker=" + missing + " = 200"},
	"types.list|links|":               {"member types?limit=1 = 200"},
	"services.list|filter|host":       {"admin os-services?host=x&binary=y&z=1 = 200"},
	"quotas.show|query|usage":         {"member os-quota-sets/" + ownProject + "?usage=on = 200", "member os-quota-sets/" + ownProject + "?usage=x = 400"},
	"limits.show|query|":              {"admin@39 limits?project_id=" + otherProject + " = 200", "member@39 limits?tenant_id=" + otherProject + " = 200"},
	"resource_filters.list|query|":    {"member@33 resource_filters?resource=volume = 200"},
	"availability_zones.list|paging":  {"member os-availability-zone?limit=0 = 200"},
}

// linksRows are about the links to the next page: see TestContractPages.
var linksRows = []string{"common|links|"}

func TestContractFilters(t *testing.T) {
	t.Parallel()
	w := shelf(t)
	used := map[string]bool{}
	for _, row := range rows(t, "filters") {
		key := row["endpoint"] + "|" + row["kind"] + "|" + row["name"]
		lines := filterScripts[best(key)]
		used[best(key)] = true
		if lines == nil && !begins(key, linksRows) {
			t.Errorf("no requests for the row %s", key)
		}
		for _, line := range lines {
			w.checkFilter(key, line)
		}
	}
	for begin := range filterScripts {
		if !used[begin] {
			t.Errorf("no row for the requests %s", begin)
		}
	}
}

// best is the longest begin of the key that has requests.
func best(key string) string {
	longest := ""
	for begin := range filterScripts {
		if strings.HasPrefix(key, begin) && len(begin) > len(longest) {
			longest = begin
		}
	}
	return longest
}

func (w *world) checkFilter(key, line string) {
	w.t.Helper()
	request, want, _ := strings.Cut(line, " = ")
	persona, query, _ := strings.Cut(strings.TrimSuffix(request, " ="), " ")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		query = strings.ReplaceAll(query, "{"+name+"}", w.id(name))
		if word := "{of" + name + "}"; strings.Contains(query, word) {
			query = strings.ReplaceAll(query, word, w.groupID("of-"+name))
		}
	}
	r := w.do(persona, "GET", "/v3/"+strings.NewReplacer(`"`, "%22").Replace(query), "")
	if len(want) == 3 && want[0] >= '2' && want[0] <= '4' {
		if want != itoa(r.status) {
			w.t.Errorf("%s: %s: %d %s", key, line, r.status, r.body)
		}
		return
	}
	if got := w.volumesOf(r); r.status != 200 || got != want {
		w.t.Errorf("%s: %s: %d %s", key, line, r.status, got)
	}
}

// volumesOf names the volumes that a list is about.
func (w *world) volumesOf(r response) string {
	for collection, field := range map[string]string{"volumes": "name", "attachments": "volume_id", "messages": "resource_uuid", "snapshots": "volume_id", "transfers": "volume_id", "backups": "name",
		"groups": "name", "group_snapshots": "name", "consistencygroups": "name", "cgsnapshots": "name", "qos_specs": "id"} {
		if r.at(collection) == nil {
			continue
		}
		text := strings.ReplaceAll(r.names(collection, field), "of-", "")
		for _, name := range []string{"a", "b", "c", "d", "e", "o"} {
			text = strings.ReplaceAll(text, w.id(name), name)
		}
		return text
	}
	return r.references()
}

// Following the links to the next page visits every item once, whatever the
// order, and ends.
func TestContractPages(t *testing.T) {
	t.Parallel()
	w := shelf(t)
	for _, start := range []string{
		"member /v3/volumes?limit=2", "member /v3/" + ownProject + "/volumes/detail?limit=2", "member /v3/volumes/detail?limit=1&sort=size:asc",
		"member /v3/volumes?limit=2&sort=updated_at:asc", "member /v3/volumes?limit=2&sort=updated_at:desc,name:asc", "member /v3/volumes?limit=2&sort=migration_status:asc",
		"member@71 /v3/volumes?limit=2&with_count=1", "member /v3/volumes?limit=5", "admin /v3/volumes?limit=2&sort=display_description:desc",
	} {
		persona, path, _ := strings.Cut(start, " ")
		seen := ""
		pages := 0
		for path != "" {
			r := w.do(persona, "GET", path, "").want(t, 200)
			seen += strings.ReplaceAll(w.volumesOf(r), " ", "")
			next, _ := r.at("volumes_links", 0, "href").(string)
			if next != "" && r.at("volumes_links", 0, "rel") != "next" {
				t.Error(r.body)
			}
			path = w.follow(start, next)
			if pages++; pages > 9 {
				t.Fatalf("%s: no end", start)
			}
		}
		if sorted(seen) != "abcde" {
			t.Errorf("%s: visited %s", start, seen)
		}
	}
	if r := w.do("member@71", "GET", "/v3/volumes?limit=2&with_count=true&status=available", ""); r.at("count") != 3.0 {
		t.Error(r.body)
	}
}

// follow checks that a link stays with the path it came from.
func (w *world) follow(start, next string) string {
	if next == "" {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Host != "127.0.0.1:8776" || !strings.Contains(start, u.Path+"?") {
		w.t.Errorf("%s leads to %s", start, next)
	}
	return u.RequestURI()
}

func sorted(text string) string {
	letters := strings.Split(text, "")
	for i := range letters {
		for j := i; j > 0 && letters[j] < letters[j-1]; j-- {
			letters[j], letters[j-1] = letters[j-1], letters[j]
		}
	}
	return strings.Join(letters, "")
}
