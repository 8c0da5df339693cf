package builtin

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
)

const passwordsFile = "initial-passwords.yaml"

// Account is a user to be made on the first start, with a project of its own.
type Account struct {
	User     string   `yaml:"user"`
	Project  string   `yaml:"project"`
	Roles    []string `yaml:"roles"`
	Password string   `yaml:"password"` // made up when empty
}

// defaultAccounts are an administrator and somebody to try things as.
func defaultAccounts() []Account {
	return []Account{
		{User: "admin", Project: "admin", Roles: []string{"admin", "member", "reader"}},
		{User: "demo", Project: "demo", Roles: []string{"member", "reader"}},
	}
}

// Bootstrap makes dir, the accounts (defaultAccounts when none are given), their
// passwords and the signing key, unless they are there, and returns the accounts
// with their passwords. May be repeated, also after a crash half way: what
// exists stays. Later it returns what the first call made; once the operator has
// removed initial-passwords.yaml, nothing.
func Bootstrap(dir string, accounts ...Account) ([]Account, error) {
	if len(accounts) == 0 {
		accounts = defaultAccounts()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := loadKey(dir); err != nil {
		return nil, err
	}
	users := filepath.Join(dir, usersFile)
	if _, err := os.Stat(users); errors.Is(err, fs.ErrNotExist) {
		if err := firstStart(dir, accounts); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return readPasswords(dir)
}

// firstStart writes the passwords before the users: the presence of users.yaml
// says that both are there, and a crash in between leaves passwords that the
// next start uses.
func firstStart(dir string, accounts []Account) error {
	fresh := slices.Clone(accounts)
	for i := range fresh {
		if fresh[i].Password == "" {
			fresh[i].Password = rand.Text()
		}
	}
	text, err := yaml.Marshal(fresh)
	if err != nil {
		return err
	}
	if err := ignoreExists(writeOnce(filepath.Join(dir, passwordsFile), text)); err != nil {
		return err
	}
	agreed, err := readPasswords(dir)
	if err != nil {
		return err
	}
	return writeUsers(dir, agreed)
}

func writeUsers(dir string, accounts []Account) error {
	var f file
	for _, a := range accounts {
		hash, err := bcrypt.GenerateFromPassword([]byte(a.Password), bcrypt.DefaultCost)
		if err != nil {
			return fmt.Errorf("the password of user %s: %w", a.User, err)
		}
		if !slices.ContainsFunc(f.Projects, func(p *project) bool { return p.Name == a.Project }) {
			f.Projects = append(f.Projects, &project{Name: a.Project, ID: newID()})
		}
		f.Users = append(f.Users, &user{
			Name: a.User, ID: newID(), PasswordHash: string(hash),
			Projects: map[string][]string{a.Project: a.Roles},
		})
	}
	text, err := yaml.Marshal(f)
	if err != nil {
		return err
	}
	if _, err := parseDirectory(text); err != nil {
		return err
	}
	return ignoreExists(writeOnce(filepath.Join(dir, usersFile), append([]byte(usersComment), text...)))
}

const usersComment = `# Users and projects of Clinker's built-in identity. Changes take effect within seconds.
# password_hash is bcrypt, for instance from: htpasswd -nBC 10 NAME
# id may be left out (it is then made from the name) and should not change later.
`

func readPasswords(dir string) ([]Account, error) {
	text, err := os.ReadFile(filepath.Join(dir, passwordsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var accounts []Account
	if err := yaml.Unmarshal(text, &accounts); err != nil {
		return nil, fmt.Errorf("%s: %w", passwordsFile, err)
	}
	return accounts, nil
}

func ignoreExists(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// newID is a random id as Keystone makes them: 32 hex digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
