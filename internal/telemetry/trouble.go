package telemetry

// Trouble is what goes wrong with something that is tried every few seconds. It is worth
// a line when it begins, when it becomes another one, and when it is over: a database that
// is away for an hour shall not fill the log. It is for one goroutine.
type Trouble struct{ told string }

// Turned tells whether the outcome of a try, nil or an error, is worth a line: it is
// another one than that of the try before, or the first one and an error.
func (t *Trouble) Turned(err error) bool {
	before := t.told
	t.told = ""
	if err != nil {
		t.told = err.Error()
	}
	return t.told != before
}
