// Package glance asks the image service about images, over gophercloud. It reads
// what is said of an image and where its bytes are; it fetches none, that is the
// storage node's work.
//
// It must never log a token, nor pass the service user's on to anyone but the
// image service and the node that is to fetch an image. Whether a caller may use
// an image is asked with the caller's own token.
package glance
