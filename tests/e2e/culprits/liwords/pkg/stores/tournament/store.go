// Package tournament reads tournaments from PostgreSQL.
package tournament

import (
	"database/sql"

	_ "github.com/lib/pq" // the driver
)

// Store is the table of entrants.
type Store struct {
	db *sql.DB
}

// Open makes the table and fills it.
func Open(source string) (*Store, error) {
	db, err := sql.Open("postgres", source)
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS entrants (id int, tournament text, name text);
		DELETE FROM entrants; INSERT INTO entrants
		SELECT i, 'round' || i % 100, repeat('name', 10) || i FROM generate_series(1, 20000) i`)
	return &Store{db}, err
}

// Count is how many entrants there are.
func (s *Store) Count(tournament string) (count int, err error) {
	err = s.db.QueryRow("SELECT count(*) FROM entrants WHERE tournament = $1", tournament).Scan(&count)
	return count, err
}

// Entrants are the names; of all tournaments, when none is given.
func (s *Store) Entrants(tournament string) ([]string, error) {
	rows, err := s.db.Query(
		"SELECT id, name FROM entrants WHERE tournament = $1 OR $1 = ''", tournament)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
