import { cLanguage, cppLanguage } from './c-plugins.js';
import { goLanguage } from './go-plugins.js';
import type { SdkLanguage } from './language.js';
import { rust } from './rust-plugins.js';
import { zigLanguage } from './zig-plugins.js';

/** Each SDK is asked the questions of conformance.test.ts. */
export const SDK_LANGUAGES: readonly SdkLanguage[] = [cLanguage, cppLanguage, rust, goLanguage, zigLanguage];
