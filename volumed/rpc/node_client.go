package rpc

import (
	"context"
	"time"

	"clinker/volumed/rpc/gen/node"
)

// nodeClient turns Volumed's plain types into the IDL's and back.
type nodeClient struct{ thrift *node.VolumedClient }

func (c nodeClient) Stats(ctx context.Context) (*Stats, error) {
	return plain(c.thrift.Stats(ctx))
}

func (c nodeClient) Create(ctx context.Context, fence Fence, pool string, bytes int64, blank bool) (*Operation, error) {
	return operation(c.thrift.Create(ctx, &fence, pool, bytes, blank))
}

func (c nodeClient) Extend(ctx context.Context, fence Fence, pool string, bytes int64) (*Operation, error) {
	return operation(c.thrift.Extend(ctx, &fence, pool, bytes))
}

func (c nodeClient) Destroy(ctx context.Context, fence Fence, pool string) (*Operation, error) {
	return operation(c.thrift.Destroy(ctx, &fence, pool))
}

func (c nodeClient) Snapshot(ctx context.Context, fence Fence, pool, volumeID string) (*Operation, error) {
	return operation(c.thrift.Snapshot(ctx, &fence, pool, volumeID))
}

func (c nodeClient) SnapshotGroup(ctx context.Context, fence Fence, members []*Member, together bool) (*Operation, error) {
	return operation(c.thrift.SnapshotGroup(ctx, &fence, members, together))
}

func (c nodeClient) DestroySnapshot(ctx context.Context, fence Fence, pool string) (*Operation, error) {
	return operation(c.thrift.DestroySnapshot(ctx, &fence, pool))
}

func (c nodeClient) CopyFrom(ctx context.Context, fence Fence, pool string, source Source, bytes int64) (*Operation, error) {
	return operation(c.thrift.CopyFrom(ctx, &fence, pool, &source, bytes))
}

func (c nodeClient) CopyImage(ctx context.Context, fence Fence, pool string, image Image, bytes int64) (*Operation, error) {
	return operation(c.thrift.CopyImage(ctx, &fence, pool, wireImage(image), bytes))
}

func (c nodeClient) Reimage(ctx context.Context, fence Fence, pool string, image Image, bytes int64) (*Operation, error) {
	return operation(c.thrift.Reimage(ctx, &fence, pool, wireImage(image), bytes))
}

func (c nodeClient) UploadImage(ctx context.Context, fence Fence, pool string, upload Upload, bytes int64) (*Operation, error) {
	return operation(c.thrift.UploadImage(ctx, &fence, pool, &node.Upload{
		ImageID:    upload.ImageID,
		URL:        upload.URL,
		Token:      string(upload.Token),
		DiskFormat: upload.DiskFormat,
	}, bytes))
}

func wireImage(image Image) *node.Image {
	wire := &node.Image{
		URL:        image.URL,
		Token:      string(image.Token),
		DiskFormat: image.DiskFormat,
		Bytes:      image.Bytes,
		HashAlgo:   image.HashAlgo,
		HashValue:  image.HashValue,
		Checksum:   image.Checksum,
		Encrypted:  image.Encrypted,
	}
	if l := image.LUKS; l != nil {
		wire.Luks = &node.Luks{Version: l.Version, Cipher: l.Cipher, KeyBits: int32(l.KeyBits), Passphrase: string(l.Passphrase)}
	}
	return wire
}

func (c nodeClient) Revert(ctx context.Context, fence Fence, pool, snapshotID string, bytes int64) (*Operation, error) {
	return operation(c.thrift.Revert(ctx, &fence, pool, snapshotID, bytes))
}

func (c nodeClient) Lend(ctx context.Context, fence Fence, pool string, bytes int64, reader string, token Secret) error {
	_, err := plain(c.thrift.Lend(ctx, &fence, pool, bytes, reader, string(token)))
	return err
}

func (c nodeClient) MoveIn(ctx context.Context, fence Fence, pool string, from Lender, bytes int64) (*Operation, error) {
	return operation(c.thrift.MoveIn(ctx, &fence, pool, &node.Lender{
		NodeUUID:   from.NodeUUID,
		Endpoint:   from.Endpoint,
		Generation: from.Generation,
		Token:      string(from.Token),
	}, bytes))
}

func (c nodeClient) Manageable(ctx context.Context, pool string) ([]*Candidate, error) {
	return plain(c.thrift.Manageable(ctx, pool))
}

func (c nodeClient) Manage(ctx context.Context, fence Fence, pool string, kind Kind, reference string, bytes int64, volumeID string) (*Operation, error) {
	return operation(c.thrift.Manage(ctx, &fence, pool, kind, reference, bytes, volumeID))
}

func (c nodeClient) Unmanage(ctx context.Context, fence Fence, pool string, kind Kind, reference string) (*Operation, error) {
	return operation(c.thrift.Unmanage(ctx, &fence, pool, kind, reference))
}

func (c nodeClient) Cancel(ctx context.Context, id string) (*Operation, error) {
	return operation(c.thrift.Cancel(ctx, id))
}

func (c nodeClient) Operation(ctx context.Context, id string, wait time.Duration) (*Operation, error) {
	return operation(c.thrift.Operation(ctx, id, int32(min(wait, time.Hour).Milliseconds())))
}

func (c nodeClient) Grant(ctx context.Context, fence Fence, pool, volumeID string, grant Grant) (*Connection, error) {
	answer, err := plain(c.thrift.Grant(ctx, &fence, pool, volumeID, &node.Grant{
		AttachmentID: grant.AttachmentID,
		Initiator:    grant.Initiator,
		Username:     grant.Username,
		Password:     string(grant.Password),
		ReadOnly:     grant.ReadOnly,

		Limits:           &grant.Limits,
		VolumeGeneration: grant.VolumeGeneration,
	}))
	if err != nil {
		return nil, err
	}
	return &Connection{
		Protocol: answer.Protocol,
		Portals:  answer.Portals,
		IQN:      answer.Iqn,
		LUN:      int(answer.Lun),
		Username: answer.Username,
		Password: Secret(answer.Password),
		ReadOnly: answer.ReadOnly,
	}, nil
}

func (c nodeClient) Revoke(ctx context.Context, fence Fence, pool, volumeID string) error {
	_, err := plain(c.thrift.Revoke(ctx, &fence, pool, volumeID))
	return err
}

func (c nodeClient) Limit(ctx context.Context, fence Fence, pool string, limits Limits) error {
	_, err := plain(c.thrift.Limit(ctx, &fence, pool, &limits))
	return err
}

func (c nodeClient) Stored(ctx context.Context, pool string) ([]*Stored, error) {
	return plain(c.thrift.Stored(ctx, pool))
}

func (c nodeClient) Exports(ctx context.Context, pool string) ([]*Export, error) {
	return plain(c.thrift.Exports(ctx, pool))
}

func (c nodeClient) LogLevels(ctx context.Context, prefix string) (map[string]string, error) {
	return plain(c.thrift.LogLevels(ctx, prefix))
}

func (c nodeClient) SetLogLevels(ctx context.Context, prefix, level string) error {
	_, err := plain(c.thrift.SetLogLevels(ctx, prefix, level))
	return err
}

// plain makes a fault of a refusal.
func plain[T any](value T, err error) (T, error) { return value, refused(err) }

// operation makes the plain form of an IDL operation.
func operation(o *node.Operation, err error) (*Operation, error) {
	if err != nil {
		return nil, refused(err)
	}
	plain := &Operation{ID: o.ID, State: o.State, BytesDone: o.BytesDone, BytesTotal: o.BytesTotal, Objects: int(o.GetObjects())}
	if o.State == Failed {
		plain.Failure = fromWire(o.GetCode(), o.GetMessage())
	}
	return plain, nil
}

// registryClient is the same for Registry.
type registryClient struct{ thrift *node.RegistryClient }

func (c registryClient) Announce(ctx context.Context, n Node) error {
	_, err := plain(c.thrift.Announce(ctx, &n))
	return err
}
