package main

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/noauth"
	"github.com/jackc/pgx/v5"

	"clinker/internal/direct"
	"clinker/testbed/ports"
)

// ratesCloud is Clinker with two nodes, on one disk.
type ratesCloud struct {
	*cloud
	size   int   // of each volume, in GiB
	bytes  int64 // of data in it: a qcow2 of a full one would not fit into a volume of that size
	client *gophercloud.ServiceClient
	images *imageServer
	nodes  []string // directories of their volumes
}

// startRates starts it. What is not nil must be stopped, whatever the error.
func startRates(ctx context.Context, dir, binary string, size int) (*ratesCloud, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	first, err := ports.Take(5)
	if err != nil {
		return nil, err
	}
	r := &ratesCloud{cloud: &cloud{dir: dir, binary: binary, apiPort: first, schedulerPort: first + 1, targetPort: first + 2},
		size: size, bytes: int64(size)<<30 - 16<<20}
	if err := r.startPostgres(ctx); err != nil {
		return r, err
	}
	if err := r.makeCertificates([]string{"127.0.0.1"}); err != nil {
		return r, err
	}
	if r.images, err = startImages(dir, r.bytes); err != nil {
		return r, err
	}
	conf, err := r.write("control", r.ratesControl())
	if err != nil {
		return r, err
	}
	if err := r.migrate(ctx, conf); err != nil {
		return r, err
	}
	if err := r.startRole(ctx, "scheduler", conf, nil); err != nil {
		return r, err
	}
	if err := r.startRole(ctx, "api", conf, r.answers); err != nil {
		return r, err
	}
	if err := r.startTgtd(ctx); err != nil {
		return r, err
	}
	for i := range 2 {
		if err := r.startRatesNode(ctx, fmt.Sprintf("node%d", i+1), first+3+i); err != nil {
			return r, err
		}
	}
	if r.client, err = r.noAuth(); err != nil {
		return r, err
	}
	return r, r.awaitNodes(ctx)
}

func (r *ratesCloud) ratesControl() string {
	return fmt.Sprintf(`[DEFAULT]
my_ip = 127.0.0.1
host = control
state_path = %[1]s/control
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = %[2]d
auth_strategy = noauth
glance_api_servers = %[3]s
[database]
connection = %[4]s
[clinker]
scheduler_listen = 127.0.0.1
scheduler_port = %[5]d
%[6]s`, r.dir, r.apiPort, r.images.url, r.postgres.URL(database), r.schedulerPort, certificates(r.pki()))
}

func (r *ratesCloud) startRatesNode(ctx context.Context, name string, port int) error {
	volumes := filepath.Join(r.dir, name+"-volumes")
	r.nodes = append(r.nodes, volumes)
	conf, err := r.write(name, fmt.Sprintf(`[DEFAULT]
my_ip = 127.0.0.1
host = %[1]s
state_path = %[2]s/%[1]s
enabled_backends = file
backup_driver = posix
backup_posix_path = %[2]s/backups
[file]
volume_driver = file
file_directory = %[3]s
target_helper = tgt
target_port = %[4]d
tgt_socket = %[5]s.0
[clinker]
volumed_port = %[6]d
scheduler_port = %[7]d
%[8]s`, name, r.dir, volumes, r.targetPort, r.tgtSocket(), port, r.schedulerPort, certificates(r.pki())))
	if err != nil {
		return err
	}
	return r.startRole(ctx, "volumed", conf, nil)
}

func (r *ratesCloud) noAuth() (*gophercloud.ServiceClient, error) {
	provider, err := noauth.NewClient(gophercloud.AuthOptions{Username: "bench", TenantName: strings.ReplaceAll(uuid.NewString(), "-", "")})
	if err != nil {
		return nil, err
	}
	client, err := noauth.NewBlockStorageNoAuthV3(provider, noauth.EndpointOpts{CinderEndpoint: fmt.Sprintf("http://127.0.0.1:%d/v3", r.apiPort)})
	if client != nil {
		client.Microversion = "3.71"
	}
	return client, err
}

// awaitNodes waits until both nodes have a pool and a store for backups.
func (r *ratesCloud) awaitNodes(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, r.postgres.URL(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return r.processes[len(r.processes)-1].until(ctx, func(ctx context.Context) error {
		var pools, stores int
		err := conn.QueryRow(ctx, "SELECT (SELECT count(*) FROM pools), (SELECT count(*) FROM services WHERE backup_store IS NOT NULL)").Scan(&pools, &stores)
		if err == nil && (pools < 2 || stores < 2) {
			err = fmt.Errorf("%d pools and %d stores are known", pools, stores)
		}
		return err
	})
}

// stop ends the cloud and its image service.
func (r *ratesCloud) stop() {
	r.cloud.stop()
	if r.images != nil {
		r.images.stop()
	}
}

// imageServer has one image as raw and one as qcow2, of the same bytes.
type imageServer struct {
	url    string
	server *http.Server
	files  map[string]string // by format, which are the images' ids in imageIDs
	hashes map[string]string
	bytes  map[string]int64
}

// imageIDs are the images' ids, by format.
var imageIDs = map[string]string{"raw": "5a3d0b3e-1f7e-4d5c-9a55-000000000001", "qcow2": "5a3d0b3e-1f7e-4d5c-9a55-000000000002"}

func startImages(dir string, size int64) (*imageServer, error) {
	i := &imageServer{files: map[string]string{}, hashes: map[string]string{}, bytes: map[string]int64{}}
	for format := range imageIDs {
		i.files[format] = filepath.Join(dir, "image."+format)
	}
	if err := writeRandom(i.files["raw"], size); err != nil {
		return nil, err
	}
	if err := execute(context.Background(), "qemu-img", "convert", "-f", "raw", "-O", "qcow2", i.files["raw"], i.files["qcow2"]); err != nil {
		return nil, err
	}
	for format, path := range i.files {
		if err := i.describe(format, path); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/images/{id}", i.show)
	mux.HandleFunc("GET /v2/images/{id}/file", i.file)
	i.url, i.server = "http://"+listener.Addr().String(), &http.Server{Handler: mux}
	go func() { _ = i.server.Serve(listener) }() // ends with stop
	return i, nil
}

// writeRandom writes bytes that neither compress nor repeat.
func writeRandom(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.CopyN(file, rand.NewChaCha8([32]byte{1}), size); err != nil {
		return err
	}
	return file.Close()
}

func (i *imageServer) describe(format, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha512.New()
	i.bytes[format], err = io.Copy(sum, file)
	i.hashes[format] = hex.EncodeToString(sum.Sum(nil))
	return err
}

func (i *imageServer) format(r *http.Request) string {
	for format, id := range imageIDs {
		if id == r.PathValue("id") {
			return format
		}
	}
	return ""
}

func (i *imageServer) show(w http.ResponseWriter, r *http.Request) {
	format := i.format(r)
	if format == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": r.PathValue("id"), "name": format, "status": "active", "disk_format": format,
		"container_format": "bare", "size": i.bytes[format], "os_hash_algo": "sha512", "os_hash_value": i.hashes[format]})
}

// file sends an image. It is read around the page cache: an image service is on another
// machine, and what it does with that one's memory is not to be measured.
func (i *imageServer) file(w http.ResponseWriter, r *http.Request) {
	format := i.format(r)
	w.Header().Set("Content-Length", strconv.FormatInt(i.bytes[format], 10))
	file, err := direct.Open(i.files[format], os.O_RDONLY)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer file.Close()
	memory, free, err := direct.Mapped(4 << 20)
	if err == nil {
		defer free()
		_, _ = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{file}, memory)
	}
}

func (i *imageServer) stop() { _ = i.server.Close() }

// execute runs a program to its end.
func execute(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, program, args...)
	said, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(said))
	}
	return nil
}
