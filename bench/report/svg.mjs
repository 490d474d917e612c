/** What every chart has in common. */
export const WIDTH = 840;
export const FONT = 'font-family="system-ui, -apple-system, \'Segoe UI\', sans-serif"';

/** Charts have their own background, because a reader's system and page can differ in light and dark. */
const STYLE = `<style>
.page { fill: #ffffff; stroke: #d0d7de } .title { fill: #1f2328 } .text { fill: #1f2328 } .dim { fill: #59636e }
.grid { stroke: #d0d7de } .spread { stroke: #1f2328 } .bar { fill: #8c9aab } .own { fill: #1f883d }
.s0 { stroke: #1f883d; fill: #1f883d } .s1 { stroke: #6e7b8a; fill: #6e7b8a } .s2 { stroke: #0969da; fill: #0969da } .s3 { stroke: #bc4c00; fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117; stroke: #30363d } .title { fill: #f0f6fc } .text { fill: #e6edf3 } .dim { fill: #9198a1 }
.grid { stroke: #30363d } .spread { stroke: #e6edf3 } .bar { fill: #6e7b8a } .own { fill: #3fb950 }
.s0 { stroke: #3fb950; fill: #3fb950 } .s1 { stroke: #9198a1; fill: #9198a1 } .s2 { stroke: #58a6ff; fill: #58a6ff } .s3 { stroke: #f0883e; fill: #f0883e }
}
</style>`;

/** @param parts the drawing below the title */
export function page({ title, note, height }, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">`,
    STYLE,
    `<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>`,
    `<text class="title" x="20" y="30" ${FONT} font-size="15" font-weight="600">${escape(title)}</text>`,
    text(20, 50, note, { className: 'dim', size: 12 }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

export function text(x, y, content, { className = 'text', size = 13, anchor = 'start', weight = 400 } = {}) {
  const place = `x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}"`;
  return `<text class="${className}" ${place} ${FONT} font-size="${size}" font-weight="${weight}">${escape(content)}</text>`;
}

export function line(className, x1, y1, x2, y2, more = '') {
  return `<line class="${className}" x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"${more}/>`;
}

export function fixed(value) {
  return Number(value.toFixed(1));
}

export function escape(content) {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
