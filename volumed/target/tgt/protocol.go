package tgt

import (
	"encoding/binary"
	"fmt"
)

// The numbers of tgtd's management protocol, which has no version: usr/tgtadm.h
// of tgt; the same from 1.0.58 (2015) to 1.0.97. Numbers are in the machine's
// byte order.
type (
	mode uint32
	op   uint32
)

const (
	modeSystem mode = iota
	modeTarget
	modeUnit // "logicalunit"
	modePortal
	_ // drivers
	_ // sessions: no operation that is of use
	modeConnection
	modeAccount
)

const (
	opNew op = iota
	opDelete
	opShow
	opBind
	opUnbind
	opUpdate
	opStats
)

const (
	headerBytes = 120 // struct tgtadm_req
	answerBytes = 8   // struct tgtadm_rsp
	maxParams   = 8 << 10
	maxAnswer   = 256 << 20
)

// allTargets as the id of a target asks for all of them.
const allTargets = -1

// request is one order to tgtd.
type request struct {
	mode   mode
	op     op
	target int32  // its id, "tid"
	sid    uint64 // session
	cid    uint32 // connection
	unit   uint64
	params string // "key=value,…"; may hold a password, so never log it
}

// String names the request without its parameters.
func (r request) String() string {
	modes := map[mode]string{modeSystem: "system", modeTarget: "target", modeUnit: "logical unit",
		modePortal: "portal", modeConnection: "connection", modeAccount: "account"}
	ops := map[op]string{opNew: "new", opDelete: "delete", opShow: "show", opBind: "bind",
		opUnbind: "unbind", opUpdate: "update", opStats: "statistics of"}
	return fmt.Sprintf("%s %s (target %d)", ops[r.op], modes[r.mode], r.target)
}

// encode gives the bytes to send.
func (r request) encode() []byte {
	size := headerBytes
	if r.params != "" {
		size += len(r.params) + 1 // the daemon wants the NUL
	}
	b := make([]byte, size)
	e := binary.NativeEndian
	e.PutUint32(b[0:], uint32(r.mode))
	e.PutUint32(b[4:], uint32(r.op))
	copy(b[8:72], "iscsi")
	e.PutUint32(b[72:], uint32(size))
	e.PutUint32(b[76:], uint32(r.target))
	e.PutUint64(b[80:], r.sid)
	e.PutUint64(b[88:], r.unit)
	e.PutUint32(b[96:], r.cid)
	// Then come the SCSI host number, the device type (0 is disk), the
	// account's direction (0 is incoming), a padding and "force", all 0.
	copy(b[headerBytes:], r.params)
	return b
}

// decodeAnswer reads an answer's header: the daemon's verdict and how many
// bytes of text follow.
func decodeAnswer(b [answerBytes]byte) (refusal, int, error) {
	code := refusal(binary.NativeEndian.Uint32(b[0:]))
	size := binary.NativeEndian.Uint32(b[4:])
	if size < answerBytes || size > maxAnswer {
		return 0, 0, fmt.Errorf("tgtd: an answer of %d bytes", size)
	}
	return code, int(size) - answerBytes, nil
}
