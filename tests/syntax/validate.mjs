// A JSON list of statements on stdin, a JSON list of the errors of each on stdout: [] when Trino's grammar takes it.
//   node validate.mjs FOLDER        FOLDER is the home that get-parser says
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { pathToFileURL } from 'node:url';

// The package is written for bundlers: its files do not say that they are modules, and leave the ".js" out of imports.
function resolve(specifier, context, next) {
    const isBare = /^\.\.?\/.*(?<!\.js)$/.test(specifier) && context.parentURL.includes('/dt-sql-parser/');
    return next(isBare ? `${specifier}.js` : specifier, context);
}
function load(url, context, next) {
    return next(url, url.includes('/dt-sql-parser/') ? { ...context, format: 'module' } : context);
}
if (module.registerHooks) {
    module.registerHooks({ resolve, load });
} else { // before Node 22.15 hooks live in a thread of their own and get there as text
    module.register(`data:text/javascript,${encodeURIComponent(`export ${resolve}\nexport ${load}`)}`);
}

// The file of its Trino, not the package, which would load its seven other dialects too.
const file = `${process.argv[2]}/node_modules/dt-sql-parser/dist/parser/trino/index.js`;
const { TrinoSQL } = await import(pathToFileURL(file));
const parser = new TrinoSQL();

function errors(statement) {
    const found = parser.validate(statement).map(
        ({ startLine, startColumn, message }) => `line ${startLine}, column ${startColumn}: ${message}`,
    );
    if (found.length > 0) {
        return found;
    }
    // It takes several statements, even without a ";" between them; Trino takes one, and no ";".
    const statements = parser.parseWithCache(statement).statements();
    if (statements.length !== 1) {
        return [`${statements.length} statements instead of one`];
    }
    return statements[0].getText().endsWith(';') ? ['";" at the end'] : [];
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(errors)));
