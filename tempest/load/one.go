package load

import "time"

// One makes and deletes volumes one at a time, for those who measure something
// else in between.
type One struct {
	session *session
	worker  *worker
}

// NewOne looks at what it waits for every poll, and gives up after limit.
func NewOne(e Endpoint, poll, limit time.Duration) (*One, error) {
	c, err := newClient(e, 1)
	if err != nil {
		return nil, err
	}
	s := &session{client: c, made: map[string]bool{}, paces: map[string]*pace{},
		Options: Options{Workers: []int{1}, Poll: poll, Limit: limit}}
	return &One{s, c.worker(0)}, nil
}

// Create gives a volume's id, and the time until it was available.
func (o *One) Create() (id string, took time.Duration, err error) {
	begin := time.Now()
	id, err = o.session.create(o.worker)
	return id, time.Since(begin), err
}

// Delete gives the time until the volume was gone.
func (o *One) Delete(id string) (time.Duration, error) {
	begin := time.Now()
	err := o.session.delete(o.worker, id)
	return time.Since(begin), err
}
