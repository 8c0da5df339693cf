package copy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// Upload is an image in the image service that waits for its bytes.
type Upload struct {
	URL        string // of the bytes: …/v2/images/<id>/file
	Token      Token  // "" where none is needed
	DiskFormat string // in Glance's words
	Compress   bool   // clusters, where the format can
}

// uploadFormats are what volumes can be made into.
var uploadFormats = map[Format][]string{
	Raw:   nil,
	QCOW2: {"-O", "qcow2"},
	VMDK:  {"-O", "vmdk", "-o", "subformat=monolithicSparse"},
	VDI:   {"-O", "vdi"},
	VHD:   {"-O", "vpc", "-o", "subformat=dynamic,force_size=on"},
	VHDX:  {"-O", "vhdx", "-o", "subformat=dynamic"},
	Ploop: {"-O", "parallels"},
}

// Upload brings the first so many bytes of a device or file, which are a volume's,
// into an image. progress is told how many of them have been sent, or of an image
// that is converted first, how many in proportion. When it returns nil the image
// service has every byte. Else the image has no bytes, or wrong ones, and must be
// deleted or given its bytes anew: Unavailable when the image service does not take
// them at the moment, Conflict when it waits for none, Invalid when it will not.
func (c *Copier) Upload(ctx context.Context, up Upload, path string, bytes int64, progress func(done int64)) error {
	format := Format(up.DiskFormat)
	options, known := uploadFormats[format]
	switch {
	case !known:
		return fault.New(fault.Invalid, "volumes cannot be made into images of the disk format %q", up.DiskFormat)
	case !strings.HasPrefix(up.URL, "http://") && !strings.HasPrefix(up.URL, "https://"):
		return fault.New(fault.Invalid, "images are sent over http or https")
	}
	if format == Raw {
		return c.sendFile(ctx, up, path, bytes, progress)
	}
	scratch, err := c.convertVolume(ctx, up, path, bytes, options)
	if err != nil {
		return err
	}
	defer os.Remove(scratch)
	info, err := os.Stat(scratch)
	if err != nil {
		return err
	}
	size := max(1, info.Size())
	return c.sendFile(ctx, up, scratch, info.Size(), func(done int64) { progress(int64(float64(done) / float64(size) * float64(bytes))) })
}

// convertVolume makes a private file of another format. The volume is read as the
// plain bytes that it is, whatever its tenant has written at its beginning.
func (c *Copier) convertVolume(ctx context.Context, up Upload, path string, bytes int64, options []string) (scratch string, err error) {
	f, err := c.scratch()
	if err != nil {
		return "", err
	}
	scratch = f.Name()
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(scratch))
		}
	}()
	if err := f.Close(); err != nil {
		return scratch, err
	}
	args := append([]string{"convert", "-f", "raw"}, options...)
	if isDevice(path) {
		args = append(args, "-T", "none")
	}
	if up.Compress && up.DiskFormat == string(QCOW2) {
		args = append(args, "-c")
	}
	// No format needs more than this beside the bytes themselves: Parallels takes
	// 128 MiB in advance.
	_, err = c.qemuImg(ctx, bytes, bytes+bytes/8+(256<<20), append(args, path, scratch)...)
	var exit *run.ExitError
	if errors.As(err, &exit) {
		code := fault.Invalid
		if strings.Contains(exit.Stderr, "No space left") {
			code = fault.NoSpace
		}
		return scratch, fault.Wrap(err, code, "the volume could not be converted to %s within the limits and the room in image_conversion_dir", up.DiskFormat)
	}
	return scratch, err
}

// sendFile sends a file or device, and compares what the image service says it got.
func (c *Copier) sendFile(ctx context.Context, up Upload, path string, bytes int64, progress func(int64)) error {
	f, err := openSource(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b := newBody(ctx, f, bytes, c.Patience, progress)
	defer b.end()
	err = c.put(b.ctx, up, b)
	if err == nil {
		err = b.complete()
	}
	if err != nil {
		return b.why(ctx, err)
	}
	return c.compare(ctx, up, bytes, b.digest())
}

// put sends a body in chunks: an image service that is told the length may take
// a body that ends early for whole.
func (c *Copier) put(ctx context.Context, up Upload, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, up.URL, body)
	if err != nil {
		return fault.New(fault.Invalid, "the image's address cannot be read")
	}
	request.ContentLength = -1
	request.Header.Set("Content-Type", "application/octet-stream")
	if up.Token != "" {
		request.Header.Set("X-Auth-Token", string(up.Token))
	}
	response, err := c.uploads.Do(request)
	if err != nil {
		return lost(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	return taken(response.StatusCode)
}

// taken tells what the answer to an upload means.
func taken(status int) error {
	switch {
	case status == http.StatusNoContent, status == http.StatusOK, status == http.StatusCreated:
		return nil
	case status == http.StatusConflict:
		return fault.New(fault.Conflict, "the image service does not wait for the image's bytes at the moment")
	case status == http.StatusNotFound, status == http.StatusGone:
		return fault.New(fault.Invalid, "the image is gone from the image service")
	case status == http.StatusRequestEntityTooLarge:
		return fault.New(fault.Invalid, "the image service has no room or no quota for the image (status 413)")
	case status >= 500, status == http.StatusUnauthorized, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return fault.New(fault.Unavailable, "the image service answered with status %d", status)
	}
	return fault.New(fault.Invalid, "the image service does not take the image's bytes and answers with status %d", status)
}

// compare asks the image service what it has. Of a hash of another kind than ours
// nothing can be said but the length.
func (c *Copier) compare(ctx context.Context, up Upload, bytes int64, sha512 string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(up.URL, "/file"), nil)
	if err != nil {
		return err
	}
	if up.Token != "" {
		request.Header.Set("X-Auth-Token", string(up.Token))
	}
	response, err := c.client.Do(request)
	if err != nil {
		return lost(err)
	}
	defer response.Body.Close()
	var has struct {
		Status string `json:"status"`
		Size   *int64 `json:"size"`
		Algo   string `json:"os_hash_algo"`
		Value  string `json:"os_hash_value"`
	}
	if response.StatusCode != http.StatusOK {
		return taken(response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&has); err != nil {
		return lost(err)
	}
	if has.Size != nil && *has.Size != bytes || has.Algo == "sha512" && !strings.EqualFold(has.Value, sha512) {
		return fault.New(fault.Invalid, "the image service has other bytes than it was sent")
	}
	return nil
}
