package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// CopyImage implements rpc.Volumed: the volume's content is the image's address.
func (n *Node) CopyImage(ctx context.Context, f rpc.Fence, pool string, image rpc.Image, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "copy_image", f, pool, false, func() *fault.Fault {
		if image.Bytes > bytes {
			return fault.New(fault.Invalid, "the image does not fit")
		}
		if failed := n.make(pool, f.ResourceID, bytes); failed != nil {
			return failed
		}
		content := image.URL
		if l := image.LUKS; l != nil {
			content += " in " + l.Version + " under " + string(l.Passphrase)
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes, Content: content}
		return nil
	})
}

// Reimage implements rpc.Volumed, likewise.
func (n *Node) Reimage(ctx context.Context, f rpc.Fence, pool string, image rpc.Image, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "reimage", f, pool, false, func() *fault.Fault {
		had, ok := n.volumes[key(pool, f.ResourceID)]
		switch {
		case !ok:
			return fault.New(fault.NotFound, "there is no volume %s", f.ResourceID)
		case image.Bytes > bytes || had.Bytes != bytes:
			return fault.New(fault.Invalid, "the image does not fit")
		}
		for _, e := range n.exports {
			if e.volume == f.ResourceID && e.pool == pool {
				return fault.New(fault.Busy, "the volume is exported")
			}
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes, Content: image.URL}
		return nil
	})
}

// UploadImage implements rpc.Volumed: what was sent is kept, by image.
func (n *Node) UploadImage(ctx context.Context, f rpc.Fence, pool string, upload rpc.Upload, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "upload_image", f, pool, false, func() *fault.Fault {
		v, ok := n.volumes[key(pool, f.ResourceID)]
		if !ok {
			return fault.New(fault.NotFound, "there is no volume %s", f.ResourceID)
		}
		if n.uploaded == nil {
			n.uploaded = map[string]string{}
		}
		n.uploaded[upload.ImageID] = upload.DiskFormat + ":" + v.Content
		return nil
	})
}

// Uploaded gives what was sent to an image, as disk_format:content.
func (n *Node) Uploaded(image string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.uploaded[image]
}
