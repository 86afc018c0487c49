package stores

import "context"

// Games that the site has gathered over the years.
const seedGames = 15000

// The games share 300 made-up histories of 24 to 36 turns: random enough to be believable, and
// made by the database in a second or two.
const seedRows = `
	WITH histories AS MATERIALIZED (
		SELECT history, jsonb_agg(jsonb_build_object(
			'player', turn % 2,
			'rack', substr(letters, 1, 7),
			'word', substr(letters, 1, 2 + (history + turn) % 6),
			'position', (1 + (history * turn) % 15) || chr(65 + (history + turn) % 15),
			'score', 4 + (history * 31 + turn * 17) % 60,
			'clock_ms', 1500000 - turn * 41250 - history)) AS turns
		FROM generate_series(0, 299) AS history,
		     generate_series(1, 24 + history % 13) AS turn,
		     translate(md5(history || '/' || turn), '0123456789abcdef', 'EAIONRTLSUDGBPMQ') AS letters
		GROUP BY history
	)
	INSERT INTO games (number, id, document)
	SELECT number, 'game-' || number, jsonb_build_object(
		'original', CASE WHEN number % 50 = 0 THEN 'game-' || (number - 1) ELSE '' END,
		'players', jsonb_build_array('player-' || number % 611, 'player-' || (number * 7 + 3) % 613),
		'scores', jsonb_build_array(250 + number * 37 % 260, 250 + number * 53 % 260),
		'lexicon', 'CSW21',
		'turns', turns)
	FROM generate_series(1, $1) AS number JOIN histories ON history = number % 300`

// seed creates the table and its games, unless that was done before.
func (s *GameStore) seed(ctx context.Context) error {
	var seeded bool
	row := s.db.QueryRowContext(ctx, `SELECT to_regclass('games') IS NOT NULL`)
	if err := row.Scan(&seeded); err != nil || seeded {
		return err
	}
	transaction, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer transaction.Rollback() // does nothing after a commit
	_, err = transaction.ExecContext(ctx, `
		CREATE TABLE games (
			number   bigint PRIMARY KEY,
			id       text NOT NULL UNIQUE,
			document jsonb NOT NULL
		)`)
	if err != nil {
		return err
	}
	if _, err := transaction.ExecContext(ctx, seedRows, seedGames); err != nil {
		return err
	}
	_, err = transaction.ExecContext(ctx, `
		CREATE INDEX games_original ON games ((document->>'original'))`)
	if err != nil {
		return err
	}
	return transaction.Commit()
}
