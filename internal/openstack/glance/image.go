package glance

import (
	"fmt"
	"strconv"

	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
)

// Image is what the image service says of an image.
type Image struct {
	ID, Name        string
	Status          string
	DiskFormat      string
	ContainerFormat string
	SizeBytes       int64
	VirtualBytes    int64 // of what it holds; 0 when Glance does not know
	MinDiskGiB      int
	MinRAMMiB       int
	Checksum        string // MD5 in hex
	HashAlgo        string // os_hash_algo
	HashValue       string // in hex
	Visibility      string
	Protected       bool
	Properties      map[string]string
}

// base are what Glance's schema defines and gophercloud has no field for; they are
// no properties that somebody gave the image.
var base = map[string]bool{
	"os_hash_algo": true, "os_hash_value": true, "os_hidden": true, "schema": true, "self": true, "file": true,
	"locations": true, "direct_url": true, "stores": true, "virtual_size": true,
}

func imageOf(i *images.Image) Image {
	image := Image{
		ID: i.ID, Name: i.Name, Status: string(i.Status), DiskFormat: i.DiskFormat, ContainerFormat: i.ContainerFormat,
		SizeBytes: i.SizeBytes, MinDiskGiB: i.MinDiskGigabytes, MinRAMMiB: i.MinRAMMegabytes, Checksum: i.Checksum,
		VirtualBytes: i.VirtualSize, Visibility: string(i.Visibility), Protected: i.Protected,
		Properties: map[string]string{},
	}
	for key, value := range i.Properties {
		text, given := textOf(value)
		switch {
		case !given:
		case key == "os_hash_algo":
			image.HashAlgo = text
		case key == "os_hash_value":
			image.HashValue = text
		case !base[key]:
			image.Properties[key] = text
		}
	}
	return image
}

func textOf(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool, int:
		return fmt.Sprint(v), true
	}
	return "", false
}

// Metadata is what a volume keeps of its image: glance_core_properties, as Cinder
// has them by default, and what was given to the image.
func (i Image) Metadata() map[string]string {
	m := map[string]string{}
	for key, value := range i.Properties {
		m[key] = value
	}
	for key, value := range map[string]string{
		"image_id": i.ID, "image_name": i.Name, "checksum": i.Checksum,
		"container_format": i.ContainerFormat, "disk_format": i.DiskFormat,
	} {
		if value != "" {
			m[key] = value
		}
	}
	m["min_disk"], m["min_ram"] = strconv.Itoa(i.MinDiskGiB), strconv.Itoa(i.MinRAMMiB)
	m["size"] = strconv.FormatInt(i.SizeBytes, 10)
	return m
}

// Signed tells whether somebody has signed the image (img_signature and its kin).
func (i Image) Signed() bool { return i.Properties["img_signature"] != "" }

// Encrypted tells whether the bytes are an encrypted volume's.
func (i Image) Encrypted() bool { return i.KeyID() != "" }

// KeyID is the key of the encrypted volume that it holds, "" for none.
func (i Image) KeyID() string { return i.Properties["cinder_encryption_key_id"] }

// Reason says why no volume can be made of the image; "" when one can. verify:
// signatures must be verified, which cannot be done here.
func (i Image) Reason(verify bool) string {
	switch {
	case verify && i.Signed():
		return "it is signed, and its signature cannot be verified here (verify_glance_signatures)"
	case i.ContainerFormat != "bare" && i.ContainerFormat != "ovf" && i.ContainerFormat != "ami" && i.ContainerFormat != "ari" && i.ContainerFormat != "aki":
		return "its container format is " + i.ContainerFormat + ", and bare is needed"
	}
	switch i.DiskFormat {
	case "raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso", "ami", "ari", "aki":
		return ""
	}
	return "volumes cannot be made from images of the disk format " + i.DiskFormat
}
