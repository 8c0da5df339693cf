// Package wire is what the host and the testbed's agent in the guest say to
// each other: JSON over HTTP/1.1, every request with the header
// "Authorization: Bearer <token>".
//
//	POST /exec              Command → a stream of Events, the last with Exit or Error
//	POST /start             Command → Started; the process goes on by itself
//	GET  /wait?pid=N        → Event with Exit, when that process has ended
//	POST /signal?pid=N&signal=N
//	GET  /file?path=P       → the file's bytes
//	PUT  /file?path=P&mode=0644
//
// A request that the agent cannot serve is answered with status 400 and a
// sentence. It holds types only, so that both sides stay in step.
package wire

// Port is the TCP port on which the agent listens, on the control NIC.
const Port = 8080

// Ready is the line on the console that says the agent can be reached. A
// connection made earlier would stall: QEMU accepts it before the guest is up.
const Ready = "tb: ready"

// Command is one program to run in the guest.
type Command struct {
	Args  []string // program and arguments
	Env   []string `json:",omitempty"` // added to the agent's environment, KEY=value
	Dir   string   `json:",omitempty"` // working directory; "" is "/"
	Input []byte   `json:",omitempty"` // standard input
}

// Event is a piece of a program's output, or its end.
type Event struct {
	Stdout []byte `json:",omitempty"`
	Stderr []byte `json:",omitempty"`
	Exit   *int   `json:",omitempty"` // exit status; 128 + N when signal N ended it
	Error  string `json:",omitempty"` // why the program could not be run
}

// Started is a process that runs in the background.
type Started struct {
	Pid int
	Log string // path in the guest of what it writes to both its streams
}
