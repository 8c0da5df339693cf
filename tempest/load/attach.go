package load

import (
	"errors"
	"fmt"
	"time"
)

// connector is what os-brick says of a compute host.
const connector = `{"attachment":{"connector":{"initiator":"iqn.1993-08.org.debian:01:load","ip":"127.0.0.1",` +
	`"host":"load","platform":"x86_64","os_type":"linux","multipath":false,"mountpoint":"/dev/vdb"}}}`

// attach takes a volume through what Nova does with it: reserve, connect,
// complete, and later delete.
func (s *session) attach(w *worker, id string) error {
	begin := time.Now()
	body, err := w.call("POST", "/attachments", fmt.Appendf(nil, `{"attachment":{"volume_uuid":%q%s}}`, id, s.server()))
	if err != nil {
		return err
	}
	w.steps.add("attachment create", begin)
	path := "/attachments/" + text(body, "id")
	if err := s.connect(w, path, id); err != nil {
		_, undo := w.asService("DELETE", path)
		return errors.Join(err, undo)
	}
	begin = time.Now()
	if _, err := w.asService("DELETE", path); err != nil {
		return err
	}
	w.steps.add("attachment delete", begin)
	return w.await(s.pace("detach"), "/volumes/"+id, "available", s.Limit)
}

func (s *session) connect(w *worker, path, id string) error {
	begin := time.Now()
	if _, err := w.call("PUT", path, []byte(connector)); err != nil {
		return err
	}
	w.steps.add("attachment update", begin)
	begin = time.Now()
	if _, err := w.call("POST", path+"/action", []byte(`{"os-complete":{}}`)); err != nil {
		return err
	}
	w.steps.add("attachment complete", begin)
	return w.await(s.pace("attach"), "/volumes/"+id, "in-use", s.Limit)
}

// server names the Nova server that the attachment is for. Without a service
// token there is none: Cinder lets only Nova take a server's disk away.
func (s *session) server() string {
	if s.client.endpoint.ServiceToken == "" {
		return ""
	}
	return fmt.Sprintf(`,"instance_uuid":%q`, newUUID())
}
