/** The origin of a URL in its normal form, such as `https://api.example.com`; a text that is no URL as it is. */
export function originOf(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : text;
}
