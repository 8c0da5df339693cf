package builtin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
)

// The one domain, with the id and name that Keystone gives its first.
const (
	domainID   = "default"
	DomainName = "Default"
)

// file is users.yaml as it is written.
type file struct {
	Projects []*project `yaml:"projects"`
	Users    []*user    `yaml:"users"`
}

type project struct {
	Name        string `yaml:"name"`
	ID          string `yaml:"id,omitempty"` // 32 hex digits; made from the name when absent
	Description string `yaml:"description,omitempty"`
	Disabled    bool   `yaml:"disabled,omitempty"`
}

type user struct {
	Name         string              `yaml:"name"`
	ID           string              `yaml:"id,omitempty"` // as above
	PasswordHash string              `yaml:"password_hash"`
	Description  string              `yaml:"description,omitempty"`
	Disabled     bool                `yaml:"disabled,omitempty"`
	Projects     map[string][]string `yaml:"projects"` // project name to roles
}

// directory is users.yaml checked and indexed. It is never changed: a new file
// makes a new one.
type directory struct {
	file
	projectByID, projectByName map[string]*project
	userByID, userByName       map[string]*user
	roles                      []string // sorted
	noUser                     []byte   // a hash no password fits, as costly as the dearest real one
}

// standardRoles are listed even when nobody holds them.
var standardRoles = []string{"admin", "member", "reader", "service"}

var idForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// parseDirectory reads users.yaml. The error names the entry and the field.
func parseDirectory(text []byte) (*directory, error) {
	d := &directory{
		projectByID: map[string]*project{}, projectByName: map[string]*project{},
		userByID: map[string]*user{}, userByName: map[string]*user{},
		roles: slices.Clone(standardRoles),
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&d.file); err != nil {
		return nil, err
	}
	for i, p := range d.Projects {
		if err := d.addProject(p); err != nil {
			return nil, fmt.Errorf("project %d: %w", i+1, err)
		}
	}
	cost := bcrypt.MinCost
	for i, u := range d.Users {
		if err := d.addUser(u, &cost); err != nil {
			return nil, fmt.Errorf("user %d: %w", i+1, err)
		}
	}
	d.noUser = fmt.Appendf(nil, "$2a$%02d$%s", cost, "......................xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
	slices.Sort(d.roles)
	d.roles = slices.Compact(d.roles)
	return d, nil
}

func (d *directory) addProject(p *project) error {
	if p == nil || p.Name == "" {
		return fmt.Errorf("it has no name")
	}
	if p.ID == "" {
		p.ID = deriveID("project", p.Name)
	}
	if !idForm.MatchString(p.ID) {
		return fmt.Errorf("%s: id %q is not 32 hex digits", p.Name, p.ID)
	}
	if d.projectByName[p.Name] != nil || d.projectByID[p.ID] != nil {
		return fmt.Errorf("%s: the name or the id is taken", p.Name)
	}
	d.projectByName[p.Name], d.projectByID[p.ID] = p, p
	return nil
}

func (d *directory) addUser(u *user, cost *int) error {
	if u == nil || u.Name == "" {
		return fmt.Errorf("it has no name")
	}
	if u.ID == "" {
		u.ID = deriveID("user", u.Name)
	}
	if !idForm.MatchString(u.ID) {
		return fmt.Errorf("%s: id %q is not 32 hex digits", u.Name, u.ID)
	}
	if d.userByName[u.Name] != nil || d.userByID[u.ID] != nil {
		return fmt.Errorf("%s: the name or the id is taken", u.Name)
	}
	c, err := bcrypt.Cost([]byte(u.PasswordHash))
	if err != nil {
		return fmt.Errorf("%s: password_hash is not a bcrypt hash", u.Name)
	}
	*cost = max(*cost, c)
	d.userByName[u.Name], d.userByID[u.ID] = u, u
	return d.checkGrants(u)
}

func (d *directory) checkGrants(u *user) error {
	for name, roles := range u.Projects {
		if d.projectByName[name] == nil {
			return fmt.Errorf("%s: there is no project %q", u.Name, name)
		}
		if slices.Contains(roles, "") {
			return fmt.Errorf("%s: a role in project %q has no name", u.Name, name)
		}
		d.roles = append(d.roles, roles...)
	}
	return nil
}

// passwordMark tells one password of a user from the next. It is of the hash, whose
// salt nobody guesses, so that it says nothing of the password.
func (u *user) passwordMark() string {
	sum := sha256.Sum256([]byte("password mark:" + u.PasswordHash))
	return hex.EncodeToString(sum[:8])
}

// projectsOf lists the enabled projects in which the user has a role, in the
// file's order.
func (d *directory) projectsOf(u *user) []*project {
	found := []*project{}
	for _, p := range d.Projects {
		if !p.Disabled && len(u.Projects[p.Name]) > 0 {
			found = append(found, p)
		}
	}
	return found
}

// deriveID makes an id that stays the same as long as the name does, so that a
// file written again from memory still owns the volumes of its projects.
func deriveID(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + ":" + name))
	return hex.EncodeToString(sum[:16])
}
