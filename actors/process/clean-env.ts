/** With these, llama-server takes arguments that nobody has planned. */
const ARGUMENT = 'LLAMA_ARG_';

/** Whether a variable of an environment says to llama-server what an argument would. */
export const isArgumentVariable = (name: string): boolean => name.startsWith(ARGUMENT);

/** Corral's environment less its own settings. */
export const withoutSettings = (env: NodeJS.ProcessEnv): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CORRAL_')));

/** The same for programs of llama.cpp, less what would change what was planned. */
export const withoutArguments = (env: NodeJS.ProcessEnv): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(withoutSettings(env)).filter(([name]) => !isArgumentVariable(name)));
