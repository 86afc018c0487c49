// Package catalog knows the addresses of products.
package catalog

import (
	"fmt"

	"gopkg.in/slug.v2"
)

// Catalog is all products.
type Catalog struct {
	titles []string
}

// New makes a catalog of so many products.
func New(count int) *Catalog {
	c := &Catalog{}
	for i := 0; i < count; i++ {
		c.titles = append(c.titles, fmt.Sprintf("Crème brûlée à la façon %d, très grande", i))
	}
	return c
}

// Lookup finds the product that has this address.
func (c *Catalog) Lookup(address string) int {
	for i, title := range c.titles {
		if slug.Make(title) == address {
			return i
		}
	}
	return -1
}
