// The code blocks of a page of the documentation, as they stand.
import { readFileSync } from 'node:fs';

const top = new URL('../../', import.meta.url);

// The one block of a language in the section below a heading; where there are more, the one that has `word` in it.
export function block(page, heading, language, word = '') {
  const text = readFileSync(new URL(page, top), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (!section) throw new Error(`${page} has no section "${heading}"`);
  const blocks = [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, l, code]) => l === language && code.includes(word));
  if (blocks.length !== 1) throw new Error(`${page}, "${heading}": ${blocks.length} blocks of ${language} with "${word}", expected one`);
  return blocks[0][2];
}

// What sbt is told to add, anywhere in a page: [group, artifact, version].
export function sbtDependencies(page) {
  const text = readFileSync(new URL(page, top), 'utf8');
  return [...text.matchAll(/"(dev\.h2ws)" %{1,2} "([\w-]+)" % "([\w.]+)"/g)].map(([, ...names]) => names);
}
