package builtin

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// claims are those of Keystone's jws token provider, under its names.
type claims struct {
	jwt.RegisteredClaims          // sub: the user's id; exp, iat: whole seconds
	Methods              []string `json:"openstack_methods"`
	AuditIDs             []string `json:"openstack_audit_ids"` // this token's, then the first one's of its chain
	ProjectID            string   `json:"openstack_project_id,omitempty"`
	Password             string   `json:"clinker_password,omitempty"` // which one the user had; "" in tokens of older programs
}

// Validate is called by the parser. A token without these was not made by issue.
func (c *claims) Validate() error {
	if c.Subject == "" || len(c.AuditIDs) == 0 || c.ExpiresAt == nil || c.IssuedAt == nil {
		return errors.New("a claim is missing")
	}
	return nil
}

// auditID names the token without being one: it may be shown and logged.
func (c *claims) auditID() string { return c.AuditIDs[0] }

func newClaims(u *user, projectID string, methods, chain []string, expires time.Time) *claims {
	return &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:   u.ID,
			IssuedAt:  jwt.NewNumericDate(time.Now()),
			ExpiresAt: jwt.NewNumericDate(expires),
		},
		Methods:   methods,
		AuditIDs:  append([]string{newAuditID()}, chain...),
		ProjectID: projectID,
		Password:  u.passwordMark(),
	}
}

func sign(key *ecdsa.PrivateKey, c *claims) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodES256, c).SignedString(key)
}

// parse checks signature, form and expiry.
func parse(key *ecdsa.PublicKey, token string) (*claims, error) {
	c := &claims{}
	_, err := jwt.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithExpirationRequired())
	return c, err
}

// newAuditID is 16 random bytes in base64 without padding, as Keystone's.
func newAuditID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
