// Runs SQL in DuckDB, as STAKEOUT_INPUT has it: {"parse": [texts], "run": [texts]}. Prints one line: for each text that is
// run, the rows of each of its statements; an error says which text it is of.
import { createRequire } from 'node:module';
import path from 'node:path';

const modules = createRequire(path.join(process.env.STAKEOUT_MODULES, 'package.json'));
const { DuckDBInstance } = modules('@duckdb/node-api');

const input = JSON.parse(process.env.STAKEOUT_INPUT);
// Nothing is fetched: what is run has to be in DuckDB itself.
const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
const connection = await instance.connect();

async function each(text, use) {
  try {
    const statements = await connection.extractStatements(text);
    const results = [];
    for (let i = 0; i < statements.count; i++) results.push(await use(statements, i));
    return results;
  } catch (error) {
    throw new Error(`${error.message}\nin:\n${text}`);
  }
}

for (const text of input.parse ?? []) await each(text, async () => null);
const done = [];
for (const text of input.run ?? [])
  done.push(
    await each(text, async (statements, i) => {
      const prepared = await statements.prepare(i);
      return (await prepared.runAndReadAll()).getRowObjectsJson();
    }),
  );
console.log(JSON.stringify(done));
