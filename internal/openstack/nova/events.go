package nova

import (
	"context"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

// kind is a kind of event and the microversion that brought it
// (os-server-external-events).
type kind struct{ name, microversion string }

var (
	extended = kind{"volume-extended", "2.51"}
	reimaged = kind{"volume-reimaged", "2.93"}
)

// Refusal is a server about which Nova did not take the event, and does not when
// it is sent again.
type Refusal struct {
	ServerID string
	Status   int // 404: there is no such server; 422: it is on no host; else what Nova says
}

// VolumeExtended tells each server that its volume has grown, for it to look at
// the volume's size and at the device again. The volume must have its new size
// already. Errors, of none of the servers: Unsupported when there is no compute
// service, or one too old; Forbidden when the service user may not send events;
// Unavailable when it does not answer. May be repeated.
func (c *Client) VolumeExtended(ctx context.Context, volumeID string, servers []string) ([]Refusal, error) {
	return c.send(ctx, extended, volumeID, servers)
}

// VolumeReimaged tells each server that its root volume has been written anew.
// Errors as for VolumeExtended. May be repeated.
func (c *Client) VolumeReimaged(ctx context.Context, volumeID string, servers []string) ([]Refusal, error) {
	return c.send(ctx, reimaged, volumeID, servers)
}

type event struct {
	Name     string `json:"name"`
	ServerID string `json:"server_uuid"`
	Tag      string `json:"tag"`
	Code     int    `json:"code,omitempty"`
}

// send sends an event of one kind to all servers at once.
func (c *Client) send(ctx context.Context, k kind, volumeID string, servers []string) ([]Refusal, error) {
	if len(servers) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	nova, err := c.compute(ctx, k.microversion)
	if err != nil {
		return nil, err
	}
	var in, out struct {
		Events []event `json:"events"`
	}
	for _, id := range servers {
		in.Events = append(in.Events, event{Name: k.name, ServerID: id, Tag: volumeID})
	}
	_, err = nova.Post(ctx, nova.ServiceURL("os-server-external-events"), in, &out, &gophercloud.RequestOpts{
		OkCodes: []int{http.StatusOK, http.StatusMultiStatus},
	})
	switch err = refusal(err); {
	case fault.Is(err, fault.NotFound): // of none of them
		return refusals(in.Events, http.StatusNotFound), nil
	case fault.Is(err, fault.Invalid): // 406, or 400 for a name it does not know
		return nil, fault.Wrap(err, fault.Unsupported, "The compute service does not take events of the kind %s.", k.name)
	case err != nil:
		return nil, err
	}
	return refusals(out.Events, 0), nil
}

// refusals gives the events that were not taken; status stands for events that
// carry none.
func refusals(events []event, status int) (refused []Refusal) {
	for _, e := range events {
		if e.Code == 0 {
			e.Code = status
		}
		if e.Code != 0 && e.Code != http.StatusOK && e.Code != http.StatusAccepted {
			refused = append(refused, Refusal{ServerID: e.ServerID, Status: e.Code})
		}
	}
	return refused
}
