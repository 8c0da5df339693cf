package api

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The tables under testdata/contract say what Cinder answers, one fact a row.
// The tests named TestContract… hold the API against every row of what is built.

// rows reads a table: its lines, without the header, by column name.
func rows(t testing.TB, table string) []map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "contract", table+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	header := strings.Split(lines[0], "\t")
	var all []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, value := range strings.Split(line, "\t") {
			row[header[i]] = value
		}
		all = append(all, row)
	}
	return all
}

// sinceOf reads a min_version such as 3.27; text without one is 3.0.
func sinceOf(text string) Version {
	minor, err := strconv.Atoi(strings.TrimPrefix(text, "3."))
	if err != nil {
		return 0
	}
	return Version(minor)
}

// script runs lines such as
//
//	member@52 POST /volumes {"volume": {"size": 1}} -> 202 text in the answer
//
// with words in braces replaced: {free} is a new volume, the same one through
// the script. Text behind the status must be in the answer; after a ! it must not.
type script struct {
	*world
	words map[string]string
}

func (w *world) script() *script { return &script{w, map[string]string{}} }

var wordPattern = regexp.MustCompile(`\{[a-z]+\}`)

func (s *script) fill(text string) string {
	return wordPattern.ReplaceAllStringFunc(text, func(word string) string {
		if _, known := s.words[word]; !known {
			s.words[word] = s.make(strings.Trim(word, "{}"))
		}
		return s.words[word]
	})
}

// server is the id of a Nova server that nobody runs.
const server = "88888888-8888-4888-8888-888888888888"

// moreWords make what further words stand for, each in the file of its family.
var moreWords = map[string]func(*script) string{}

// make makes what a word stands for.
func (s *script) make(word string) string {
	switch word {
	case "missing":
		return missing
	case "server":
		return server
	case "long":
		return strings.Repeat("n", 256)
	case "foreign":
		return s.volume("other", "")
	case "free":
		return s.volume("member", `, "name": "free", "metadata": {"a": "1"}`)
	case "big":
		return s.volume("member", `, "size": 2`)
	case "used":
		return s.used()
	case "attachment":
		return s.do("member@44", "GET", "/v3/attachments?volume_id="+s.fill("{used}"), "").at("attachments", 0, "id").(string)
	case "reserved":
		id := s.volume("member", "")
		s.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+server+`"}}`).want(s.t, 200)
		return id
	case "waiting":
		return s.do("member@44", "GET", "/v3/attachments?volume_id="+s.fill("{reserved}"), "").at("attachments", 0, "id").(string)
	case "type":
		return s.volumeType(`{"name": "` + s.fill("{typename}") + `", "extra_specs": {"a": "b"}}`)
	case "typename":
		return fmt.Sprintf("type-%d", s.next())
	case "usedtype":
		id := s.volumeType(`{"name": "` + s.fill("{usedname}") + `", "extra_specs": {"a": "b"}}`)
		s.volume("member", `, "volume_type": "`+id+`"`)
		return id
	case "usedname":
		return fmt.Sprintf("used-%d", s.next())
	case "default":
		return s.do("admin", "GET", "/v3/types/default", "").at("volume_type", "id").(string)
	case "message":
		return s.failure(s.fill("{free}"))
	}
	if id, known := s.makeType(word); known {
		return id
	}
	if id, known := s.makeSnapshot(word); known {
		return id
	}
	if another := moreWords[word]; another != nil {
		return another(s)
	}
	id := s.volume("member", "") // the word is a status
	s.status(id, strings.ReplaceAll(word, "inuse", "in-use"))
	return id
}

func (s *script) used() string {
	id := s.volume("member", "")
	made := s.do("member@44", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "instance_uuid": "`+server+`",
		"connector": {"host": "compute1", "initiator": "iqn.1993-08.org.debian:01:x"}}}`).want(s.t, 200)
	s.do("member@44", "POST", "/v3/attachments/"+made.at("attachment", "id").(string)+"/action", `{"os-complete": {}}`).want(s.t, 204)
	return id
}

// run does one line and reports what differs.
func (s *script) run(line string) error {
	request, expected, _ := strings.Cut(s.fill(line), " -> ")
	parts := strings.SplitN(request, " ", 4)
	if len(parts) == 3 {
		parts = append(parts, "")
	}
	r := s.do(strings.TrimPrefix(parts[0], "nobody"), parts[1], "/v3"+strings.ReplaceAll(parts[2], `"`, "%22"), parts[3])
	status, text, _ := strings.Cut(expected, " ")
	refused := strings.TrimPrefix(text, "!")
	switch {
	case strconv.Itoa(r.status) != status,
		strings.HasPrefix(text, "!") && strings.Contains(r.body, refused),
		!strings.HasPrefix(text, "!") && !strings.Contains(r.body, text):
		return fmt.Errorf("%s\n\tgave %d %s\n\twant %s", request, r.status, r.body, expected)
	}
	return nil
}

// next numbers what must have names of its own.
func (w *world) next() int {
	w.made++
	return w.made
}
