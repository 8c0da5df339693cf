package keystone

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

// ProjectExists tells whether there is a project of that id, by the word of the
// service user. Where that user may not look at other projects (a 403), nobody
// can tell, and the project counts as one. The fault is Unavailable when Keystone
// does not answer. May be repeated.
func (v *Validator) ProjectExists(ctx context.Context, id string) (bool, error) {
	client, err := v.login.Client(ctx)
	if err != nil {
		return false, err
	}
	keystone, err := openstack.NewIdentityV3(client, gophercloud.EndpointOpts{})
	if err != nil {
		return false, unavailable(err)
	}
	var body struct{}
	_, err = keystone.Get(ctx, keystone.ServiceURL("projects", url.PathEscape(id)), &body, nil)
	switch statusOf(err) {
	case http.StatusNotFound:
		return false, nil
	case http.StatusForbidden:
		return true, nil
	}
	if err != nil {
		return false, unavailable(err)
	}
	return true, nil
}
