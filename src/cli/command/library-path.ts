/** Whether an argument is the path of a library. Otherwise it is the name of a plugin. */
export function isLibraryPath(which: string): boolean {
  return /[\\/]|\.(?:so|dylib|dll)$/.test(which);
}
