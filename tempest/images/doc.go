// Package images makes volumes of images with separate processes, and kills them
// in the middle. The image service is a small one of the tests' own, which can stop
// in the middle of an image; the upstream suite has the real one.
package images
