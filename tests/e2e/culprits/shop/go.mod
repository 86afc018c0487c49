module example.org/shop

go 1.18

require gopkg.in/slug.v2 v2.0.1
