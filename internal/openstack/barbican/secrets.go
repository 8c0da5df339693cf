package barbican

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/keymanager/v1/secrets"

	"clinker/internal/fault"
	"clinker/internal/keys"
)

// octets is the content type of a key.
const octets = "application/octet-stream"

// Reserve implements keys.Store with a secret that has no payload yet.
func (c *Client) Reserve(ctx context.Context, b keys.Bearer, s keys.Spec) (id string, err error) {
	err = c.as(ctx, b, func(client *gophercloud.ServiceClient) error {
		made, err := secrets.Create(ctx, client, secrets.CreateOpts{
			Name: s.Name, Algorithm: s.Algorithm, BitLength: s.Bits, SecretType: secrets.SymmetricSecret,
		}).Extract()
		if err == nil {
			id, err = idOf(made.SecretRef)
		}
		return err
	})
	return id, err
}

// idOf reads the id off a secret's URL.
func idOf(ref string) (string, error) {
	id, err := uuid.Parse(ref[strings.LastIndexByte(ref, '/')+1:])
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "The key manager gave a secret without an id.")
	}
	return id.String(), nil
}

// Fill implements keys.Store.
func (c *Client) Fill(ctx context.Context, b keys.Bearer, id string, k keys.Key) error {
	return c.as(ctx, b, func(client *gophercloud.ServiceClient) error {
		return secrets.Update(ctx, client, id, secrets.UpdateOpts{ContentType: octets, Payload: string(k.Material)}).Err
	})
}

// Key implements keys.Store.
func (c *Client) Key(ctx context.Context, b keys.Bearer, id string) (k keys.Key, err error) {
	err = c.as(ctx, b, func(client *gophercloud.ServiceClient) error {
		secret, err := secrets.Get(ctx, client, id).Extract()
		if err != nil {
			return err
		}
		payload, err := secrets.GetPayload(ctx, client, id, secrets.GetPayloadOpts{PayloadContentType: octets}).Extract()
		k = keys.Key{Algorithm: secret.Algorithm, Material: payload}
		return err
	})
	if err != nil {
		return keys.Key{}, err
	}
	return k, nil
}

// Delete implements keys.Store.
func (c *Client) Delete(ctx context.Context, b keys.Bearer, id string) error {
	err := c.as(ctx, b, func(client *gophercloud.ServiceClient) error { return secrets.Delete(ctx, client, id).Err })
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// refusal makes a fault of what the key manager said, without its text, in which
// a request may be quoted.
func refusal(err error) error {
	var known *fault.Fault
	var wrong gophercloud.ErrUnexpectedResponseCode
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case !errors.As(err, &wrong):
		return fault.Wrap(withoutURL(err), fault.Unavailable, "The key manager does not answer.")
	}
	switch wrong.Actual {
	case http.StatusNotFound, http.StatusGone:
		return fault.New(fault.NotFound, "The key manager has no such key.")
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.New(fault.Forbidden, "The key manager refuses the request: the user needs a role there that may make and read keys (creator).")
	case http.StatusConflict:
		return fault.New(fault.Conflict, "The key is there already.")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return fault.New(fault.Invalid, "The key manager does not accept the key: it answered with status %d.", wrong.Actual)
	}
	return fault.New(fault.Unavailable, "The key manager answered with status %d.", wrong.Actual)
}

// withoutURL keeps what went wrong with a connection.
func withoutURL(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err
}
