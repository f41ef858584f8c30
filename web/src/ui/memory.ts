// Small preferences of this browser. A browser that forbids storage forgets them, nothing more.

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`boatyard.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`boatyard.${key}`);
    else localStorage.setItem(`boatyard.${key}`, value);
  } catch {
    // Nothing to mend.
  }
}
