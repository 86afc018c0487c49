// Package orders joins orders and customers.
package orders

// Customer is somebody.
type Customer struct {
	ID   int
	Name string
}

// Order is of a customer.
type Order struct {
	ID, CustomerID, Cents int
}

// Service has both.
type Service struct {
	customers []Customer
	orders    []Order
}

// New makes a service with so many of each.
func New(count int) *Service {
	s := &Service{}
	for i := 0; i < count; i++ {
		s.customers = append(s.customers, Customer{i, "Ada"})
		s.orders = append(s.orders, Order{i, (i * 7919) % count, i})
	}
	return s
}

func (s *Service) customer(id int) *Customer {
	for i := range s.customers {
		if s.customers[i].ID == id {
			return &s.customers[i]
		}
	}
	return nil
}

// Summaries is what each order comes to, with its customer's name.
func (s *Service) Summaries() map[string]int {
	sums := map[string]int{}
	for _, order := range s.orders {
		if customer := s.customer(order.CustomerID); customer != nil {
			sums[customer.Name] += order.Cents
		}
	}
	return sums
}
