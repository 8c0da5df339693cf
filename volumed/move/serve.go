package move

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"clinker/internal/fault"
	"clinker/internal/pki"
)

// Path is where on a node's endpoint what it lends is served:
// <Path><volume>/<generation> its bytes, …/digest their digest.
const Path = "/lent/"

const (
	// headerZeroes names the blocks that read as zeroes and are not in the body,
	// as a zeroMap in hex.
	headerZeroes = "Clinker-Zeroes"
	// headerDigest is the chunk's, or the whole's, in hex.
	headerDigest = "Clinker-Digest"

	// digestTime is how long one request for the whole's digest reads on.
	digestTime = 5 * time.Second
	// pieceBytes is what is sent between two looks at the budget.
	pieceBytes = 512 << 10
)

// errNotLent is all that a stranger learns, whatever the reason.
var errNotLent = fault.New(fault.NotFound, "nothing is lent here to this node under this token")

// ServeHTTP gives a reader what it was lent. The TLS configuration of its
// http.Server must demand and verify client certificates.
func (l *Lender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, whole, err := l.permit(r)
	if err != nil {
		slog.WarnContext(r.Context(), "a node asked for what it was not lent", "from", r.RemoteAddr, "path", r.URL.Path, "error", err)
		http.Error(w, fault.MessageOf(errNotLent), http.StatusNotFound)
		return
	}
	if whole {
		err = serveDigest(r.Context(), w, n)
	} else {
		err = serveChunk(r.Context(), w, r, n)
	}
	if err != nil && r.Context().Err() == nil {
		slog.WarnContext(r.Context(), "what is lent could not be read", "volume", n.Volume, "error", err)
	}
}

// permit finds the loan that a request is for: the path and the token name it,
// and the certificate is the reader's.
func (l *Lender) permit(r *http.Request) (n *loan, whole bool, err error) {
	volume, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Path), "/")
	text, whole := strings.CutSuffix(rest, "/digest")
	generation, err := strconv.ParseInt(text, 10, 64)
	if err != nil || r.Method != http.MethodGet {
		return nil, false, errors.New("the request cannot be read")
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if n = l.find(volume, generation, token); !ok || n == nil {
		return nil, false, errors.New("there is no such loan, or the token is another's")
	}
	return n, whole, readerIs(r.TLS, n.Reader)
}

// readerIs wants the certificate of a storage node that is valid for the name
// under which the control plane knows the reader.
func readerIs(state *tls.ConnectionState, reader string) error {
	if state == nil || reader == "" {
		return errors.New("the volume is lent to no other node")
	}
	if err := pki.RequireRole(*state, pki.Volumed); err != nil {
		return err
	}
	return state.VerifiedChains[0][0].VerifyHostname(reader)
}

func serveDigest(ctx context.Context, w http.ResponseWriter, n *loan) error {
	limit, cancel := context.WithTimeout(ctx, digestTime)
	defer cancel()
	d, done, err := n.whole(limit)
	switch {
	case err != nil:
		http.Error(w, "it cannot be read", statusOf(err))
	case !done:
		http.Error(w, "it is still being read", http.StatusServiceUnavailable)
	default:
		w.Header().Set(headerDigest, hex.EncodeToString(d[:]))
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func serveChunk(ctx context.Context, w http.ResponseWriter, r *http.Request, n *loan) error {
	index, err := indexOf(r.Header.Get("Range"), n.Bytes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestedRangeNotSatisfiable)
		return err
	}
	memory, release, err := buffer()
	if err != nil {
		http.Error(w, "it cannot be read", statusOf(err))
		return err
	}
	defer release()
	at, length := extent(index, n.Bytes)
	chunk := memory[:length]
	z, d, err := n.read(index, chunk)
	if err != nil {
		http.Error(w, "it cannot be read", statusOf(err))
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(sent(z, length)))
	h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, at+int64(length)-1, n.Bytes))
	h.Set(headerZeroes, strconv.FormatUint(uint64(z), 16))
	h.Set(headerDigest, hex.EncodeToString(d[:]))
	w.WriteHeader(http.StatusPartialContent)
	return z.runs(length, func(from, to int, zero bool) error {
		if zero {
			return nil
		}
		return n.send(ctx, w, blockOf(chunk, from, to))
	})
}

// send writes within the budget.
func (n *loan) send(ctx context.Context, w io.Writer, data []byte) error {
	for len(data) > 0 {
		piece := data[:min(len(data), pieceBytes)]
		if err := n.share.Spend(ctx, int64(len(piece))); err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		data = data[len(piece):]
	}
	return nil
}

// sent is how many bytes of a chunk are not in blocks of zeroes.
func sent(z zeroMap, length int) (bytes int) {
	_ = z.runs(length, func(from, to int, zero bool) error {
		if !zero {
			bytes += min(to*blockBytes, length) - from*blockBytes
		}
		return nil
	})
	return bytes
}

// indexOf reads which chunk a Range is (RFC 9110 §14.2); it must be a whole one.
func indexOf(header string, bytes int64) (int64, error) {
	var from, to int64
	if n, err := fmt.Sscanf(header, "bytes=%d-%d", &from, &to); n != 2 || err != nil {
		return 0, errors.New("one range of bytes must be asked for")
	}
	index := from / chunkBytes
	if from < 0 || from >= bytes {
		return 0, errors.New("the range is beyond the end")
	}
	if at, length := extent(index, bytes); at != from || to != at+int64(length)-1 {
		return 0, fmt.Errorf("ranges are of %d bytes", chunkBytes)
	}
	return index, nil
}

func statusOf(err error) int {
	if fault.Is(err, fault.NotFound) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}
