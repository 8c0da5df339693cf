package s3

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"clinker/internal/fault"
	"clinker/internal/trust"
	"clinker/volumed/backup"
)

// Options say where the bucket is and who asks for it.
type Options struct {
	Endpoint             string // http://… or https://…
	Bucket               string
	AccessKey, SecretKey string
	Region               string
	Insecure             bool   // the certificate is not checked
	CAFile               string // PEM; the system's authorities when empty

	// Patience is how long the service may take no byte and give none, and a third of it
	// how long it may ask for fewer requests; 90 s when 0.
	Patience time.Duration
}

// patience is longer than the service may take to answer what it has got whole
// (minio.DefaultTransport).
func (o Options) patience() time.Duration { return cmp.Or(o.Patience, 90*time.Second) }

// Driver keeps objects in a bucket. It implements backup.Driver.
type Driver struct {
	Options
	client *minio.Client

	mu    sync.Mutex
	ready bool // the bucket is there
}

var _ backup.Driver = (*Driver)(nil)

// connections is how many to the service are kept open between two requests.
const connections = 16

// attempts is how often an object is sent that the service says is in conflict with
// another request of the same moment (OperationAborted and the like).
const attempts = 20

// New gives a driver. Nothing is sent yet: the bucket is made at the first use when
// it is missing. Invalid when the options cannot be right.
func New(o Options) (*Driver, error) {
	endpoint, err := url.Parse(o.Endpoint)
	if err != nil || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" {
		return nil, fault.New(fault.Invalid, "backup_s3_endpoint_url is not the URL of a service, as https://s3.example.org:9000")
	}
	transport, err := o.transport()
	if err != nil {
		return nil, err
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""),
		Secure:       endpoint.Scheme == "https",
		Transport:    guard{transport, o.patience()},
		Region:       o.Region,
		BucketLookup: minio.BucketLookupAuto,
		MaxRetries:   5,
	})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the S3 service cannot be asked with these options")
	}
	return &Driver{Options: o, client: client}, nil
}

func (o Options) transport() (*http.Transport, error) {
	transport, err := minio.DefaultTransport(strings.HasPrefix(o.Endpoint, "https:"))
	if err != nil {
		return nil, err
	}
	transport.MaxIdleConnsPerHost = connections
	transport.TLSClientConfig, err = trust.TLS(o.CAFile, "backup_s3_ca_cert_file", o.Insecure)
	return transport, err
}

// bucket sees to it that the bucket is there.
func (d *Driver) bucket(ctx context.Context) error {
	d.mu.Lock()
	ready := d.ready
	d.mu.Unlock()
	if ready {
		return nil
	}
	there, err := d.client.BucketExists(ctx, d.Bucket)
	if err == nil && !there {
		err = d.client.MakeBucket(ctx, d.Bucket, minio.MakeBucketOptions{Region: d.Region})
		if code := minio.ToErrorResponse(err).Code; code == minio.BucketAlreadyOwnedByYou || code == minio.BucketAlreadyExists {
			err = nil // another node has just made it
		}
	}
	if err != nil {
		return d.explain(ctx, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = true
	return nil
}

// Put sends an object; see backup.Driver.
func (d *Driver) Put(ctx context.Context, key string, data []byte) error {
	return d.put(ctx, key, data, minio.PutObjectOptions{})
}

// Create sends an object on condition that there is none; see backup.Driver. Where a
// service does not know the condition (If-None-Match), and ignores it or says so (501),
// what another node sent in the same instant is overwritten.
func (d *Driver) Create(ctx context.Context, key string, data []byte) error {
	if err := d.bucket(ctx); err != nil {
		return err
	}
	_, err := d.client.StatObject(ctx, d.Bucket, key, minio.StatObjectOptions{})
	if err == nil {
		return fault.New(fault.Conflict, "there is such an object in the backup store already")
	}
	if err := d.explain(ctx, err); !fault.Is(err, fault.NotFound) {
		return err
	}
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*")
	err = d.put(ctx, key, data, o)
	if minio.ToErrorResponse(errors.Unwrap(err)).StatusCode == http.StatusNotImplemented {
		err = d.Put(ctx, key, data)
	}
	return err
}

func (d *Driver) put(ctx context.Context, key string, data []byte, o minio.PutObjectOptions) error {
	if err := d.bucket(ctx); err != nil {
		return err
	}
	o.ContentType, o.DisableMultipart, o.SendContentMd5 = "application/octet-stream", true, false
	body := &loan{data: data}
	defer body.end()
	err := d.persist(ctx, func() (err error) {
		for range attempts {
			_, err = d.client.PutObject(ctx, d.Bucket, key, io.NewSectionReader(body, 0, int64(len(data))), int64(len(data)), o)
			if minio.ToErrorResponse(err).StatusCode != http.StatusConflict {
				break
			}
		}
		return err
	})
	return d.explain(ctx, err)
}

// Get fetches an object; see backup.Driver.
func (d *Driver) Get(ctx context.Context, key string, buffer []byte) (got []byte, err error) {
	if err := d.bucket(ctx); err != nil {
		return nil, err
	}
	err = d.persist(ctx, func() (err error) {
		got, err = d.get(ctx, key, buffer)
		return err
	})
	return got, d.explain(ctx, err)
}

// get is Get, once. What it reads ends where the service says that it does, or with an
// error: an object that was cut short would be taken for a damaged one.
func (d *Driver) get(ctx context.Context, key string, buffer []byte) ([]byte, error) {
	object, err := d.client.GetObject(ctx, d.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	defer object.Close()
	got, room := buffer[:0], buffer[:cap(buffer)]
	for len(got) < len(room) {
		n, err := object.Read(room[len(got):])
		got = room[:len(got)+n]
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return nil, err
		}
	}
	more, err := object.Read(make([]byte, 1))
	switch {
	case more > 0 || err == nil:
		return nil, fault.New(fault.Invalid, "the object is longer than expected")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return got, nil
}

// List asks for the keys of a folder; see backup.Driver.
func (d *Driver) List(ctx context.Context, folder, after string, visit func(backup.Object) bool) error {
	if err := d.bucket(ctx); err != nil {
		return err
	}
	err := d.persist(ctx, func() error {
		return d.list(ctx, folder, after, func(o backup.Object) bool {
			after = o.Key
			return visit(o)
		})
	})
	return d.explain(ctx, err)
}

// list is List, once.
func (d *Driver) list(ctx context.Context, folder, after string, visit func(backup.Object) bool) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing that visit has seen enough of
	for o := range d.client.ListObjects(within, d.Bucket, minio.ListObjectsOptions{Prefix: folder + "/", StartAfter: after}) {
		if o.Err != nil {
			return o.Err
		}
		if name, ok := strings.CutPrefix(o.Key, folder+"/"); !ok || name == "" || strings.Contains(name, "/") {
			continue // a folder, or what was not asked for
		}
		if !visit(backup.Object{Key: o.Key, Bytes: o.Size}) {
			return nil
		}
	}
	return ctx.Err()
}

// Delete takes objects away; see backup.Driver.
func (d *Driver) Delete(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if err := d.bucket(ctx); err != nil {
		return err
	}
	return d.persist(ctx, func() error { return d.remove(ctx, keys) })
}

// remove is Delete, once.
func (d *Driver) remove(ctx context.Context, keys []string) error {
	if len(keys) == 1 {
		return gone(d.explain(ctx, d.client.RemoveObject(ctx, d.Bucket, keys[0], minio.RemoveObjectOptions{})))
	}
	objects := make(chan minio.ObjectInfo, len(keys))
	for _, key := range keys {
		objects <- minio.ObjectInfo{Key: key}
	}
	close(objects)
	var failed error
	for e := range d.client.RemoveObjects(ctx, d.Bucket, objects, minio.RemoveObjectsOptions{}) {
		failed = errors.Join(failed, gone(d.explain(ctx, e.Err)))
	}
	return failed
}

// gone takes what is not there for taken away.
func gone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Flush has nothing to do: an object that the service took, it keeps.
func (d *Driver) Flush(context.Context, string) error { return nil }
